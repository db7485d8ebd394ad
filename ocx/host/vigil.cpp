#include "vigil.hpp"

#include <tlhelp32.h>

#include <algorithm>
#include <cwctype>

#include "greeting.hpp"

namespace koapy {

namespace {

constexpr DWORD TURN_MS = 100, FLUSH_MS = 1000;
// One of the programs may start the other only after it has ended itself.
constexpr unsigned QUIET_TURNS = 20;

bool running(const std::vector<std::wstring>& names) {
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32W entry = {};
    entry.dwSize = sizeof entry;
    bool found = false;
    for (BOOL more = Process32FirstW(all, &entry); more && !found; more = Process32NextW(all, &entry)) {
        std::wstring file = entry.szExeFile;
        std::transform(file.begin(), file.end(), file.begin(), std::towlower);
        for (const std::wstring& each : names) found = found || file.find(each) != file.npos;
    }
    CloseHandle(all);
    return found;
}

}  // namespace

void keep_vigil(Pipe& pipe, const std::vector<std::wstring>& names) {
    pipe.send(welcome({}, {}, {}));
    for (unsigned quiet = 0; quiet < QUIET_TURNS; Sleep(TURN_MS)) quiet = running(names) ? 0 : quiet + 1;
    Writer bye(Kind::BYE);
    bye.text("they have ended");
    pipe.send(bye);
    pipe.flush(FLUSH_MS);
}

}  // namespace koapy
