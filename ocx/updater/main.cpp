// opstarter.exe and opversionup.exe of the tests: what OpenAPI+ calls the two programs that install its new version.
// The first asks to end all programs that have the control, then starts the second, which puts the new file in the old
// one's place; that fails while anybody has the control. Both are this program, under the name that it was started by.
#include <windows.h>

#include <string>

#include "../fake/ids.hpp"

namespace {

constexpr wchar_t CONTROL[] = L"koapy-fake.ocx";

void say(const wchar_t* title, const wchar_t* text) { MessageBoxW(nullptr, text, title, MB_OK); }

// Nobody may read or map the file while it is replaced.
bool free_to_replace(const std::wstring& file) {
    HANDLE opened = CreateFileW(file.c_str(), GENERIC_READ | GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, 0, nullptr);
    if (opened == INVALID_HANDLE_VALUE) return false;
    CloseHandle(opened);
    return true;
}

}  // namespace

int WINAPI wWinMain(HINSTANCE, HINSTANCE, PWSTR, int) {
    wchar_t path[MAX_PATH];
    GetModuleFileNameW(nullptr, path, MAX_PATH);
    std::wstring own = path, folder = own.substr(0, own.find_last_of(L'\\') + 1);
    if (own.find(L"opstarter") != own.npos) {
        say(L"opstarter", L"새로운 버전이 있습니다. OpenAPI를 사용하는 프로그램을 모두 종료한 후 확인을 누르세요.");
        STARTUPINFOW how = {};
        how.cb = sizeof how;
        PROCESS_INFORMATION started = {};
        std::wstring command = L'"' + folder + L"opversionup.exe\"";
        return !CreateProcessW(nullptr, command.data(), nullptr, nullptr, FALSE, 0, nullptr, nullptr, &how, &started);
    }
    std::wstring control = folder + CONTROL, fresh = folder + koapy::fake::NEW_VERSION;
    if (!free_to_replace(control) || !MoveFileExW(fresh.c_str(), control.c_str(), MOVEFILE_REPLACE_EXISTING)) {
        say(L"opversionup", L"파일을 바꿀 수 없습니다. 프로그램을 모두 종료하세요.");
        return 1;
    }
    say(L"업그레이드 확인", L"업그레이드를 마쳤습니다.");
    return 0;
}
