// koapy-ocx-host.exe PROGID|CLSID: offers an ActiveX control to the process at the other end of its standard input and
// output, in the frames of docs/remote.md. A 32-bit program with nothing but Windows' own DLLs.
#include <windows.h>

#include "apartment.hpp"
#include "ending.hpp"
#include "pipe.hpp"
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
        apartment.open(count > 1 ? words[1] : L"KHOPENAPI.KHOpenAPICtrl.1");
        apartment.run();
    } catch (const FrameError&) {
        end(NO_PROTOCOL);
    }
    end(ORDERLY);
}
