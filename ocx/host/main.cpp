// koapy-ocx-host.exe PROGID|CLSID: offers an ActiveX control to the process at the other end of its standard input and
// output, in the frames of docs/remote.md. A 32-bit program with nothing but Windows' own DLLs.
// koapy-ocx-host.exe --while NAME...: has no control, and ends with the last program that is called like one of these.
// koapy-ocx-host.exe --look PROGID|CLSID: makes no control, says in its WELCOME what is known of it, and ends.
#include <windows.h>

#include "apartment.hpp"
#include "ending.hpp"
#include "greeting.hpp"
#include "origin.hpp"
#include "pipe.hpp"
#include "vigil.hpp"
#include "watchdog.hpp"

namespace {

koapy::Pipe* pipe_of_last_words;

void last_words(const char* text) {
    koapy::Writer bye(koapy::Kind::BYE);
    bye.text(std::string("the control's process crashed: ") + text);
    pipe_of_last_words->last_words(bye);
}

}  // namespace

int wmain(int count, wchar_t** words) {
    using namespace koapy;
    // The control may write to its standard output, which would end up between frames.
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE), out = GetStdHandle(STD_OUTPUT_HANDLE);
    // Nor may a program that it starts, and that outlives this one, hold the pipe open.
    for (HANDLE each : {in, out}) SetHandleInformation(each, HANDLE_FLAG_INHERIT, 0);
    SetStdHandle(STD_INPUT_HANDLE, nullptr);
    SetStdHandle(STD_OUTPUT_HANDLE, GetStdHandle(STD_ERROR_HANDLE));
    static Pipe pipe(in, out);
    pipe_of_last_words = &pipe;
    end_at_crash(last_words);
    try {
        uint16_t version = pipe.greeted();
        static Apartment apartment(pipe);
        static Watchdog watchdog(pipe, apartment.activity());
        pipe.start([](std::string frame) {
            Reader reader(frame);
            if (reader.kind == Kind::RULES) watchdog.take(reader);
            else apartment.post(std::move(frame));
        });
        if (version != VERSION) {
            Writer refused(Kind::REFUSED);
            refused.text("the gateway speaks version " + std::to_string(version) + " of the protocol, this host " +
                         std::to_string(VERSION));
            pipe.send(refused);
            pipe.flush(1000);
            end(REFUSED);
        }
        watchdog.start();
        std::wstring what = count > 1 ? words[1] : L"KHOPENAPI.KHOpenAPICtrl.1";
        if (what == L"--while") {
            keep_vigil(pipe, {words + 2, words + count});
            end(ORDERLY);
        }
        if (what == L"--look" && count > 2) {
            pipe.send(welcome({}, {}, origin(words[2])));
            pipe.flush(1000);
            end(ORDERLY);
        }
        apartment.open(what);
        apartment.run();
    } catch (const FrameError&) {
        end(NO_PROTOCOL);
    }
    end(ORDERLY);
}
