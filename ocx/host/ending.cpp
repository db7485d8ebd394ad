#include "ending.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace koapy {

namespace {

void (*told)(const char*) = nullptr;
volatile ULONGLONG crashed_at = 0;
constexpr ULONGLONG LAST_WORDS_MS = 1000;
constexpr DWORD CALLBACK_FILTER = 1;  // PROCESS_CALLBACK_FILTER_ENABLED

LONG WINAPI crash(EXCEPTION_POINTERS* found) {
    crashed_at = GetTickCount64();
    void* at = found->ExceptionRecord->ExceptionAddress;
    HMODULE module = nullptr;
    char name[MAX_PATH] = "?", text[MAX_PATH + 80];
    if (GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                           static_cast<const char*>(at), &module))
        GetModuleFileNameA(module, name, sizeof name);
    const char* file = name;
    for (const char* each = name; *each; ++each)
        if (*each == '\\') file = each + 1;
    std::snprintf(text, sizeof text, "exception 0x%08lX in %s+0x%lX", found->ExceptionRecord->ExceptionCode, file,
                  static_cast<unsigned long>(static_cast<char*>(at) - reinterpret_cast<char*>(module)));
    if (told) told(text);
    end(CRASHED);
}

[[noreturn]] void aborted() {
    crashed_at = GetTickCount64();
    if (told) told("the program gave up (std::terminate)");
    end(CRASHED);
}

}  // namespace

void end(Ending why) {
    TerminateProcess(GetCurrentProcess(), why);
    for (;;) Sleep(INFINITE);
}

void end_at_crash(void (*last_words)(const char* text)) {
    told = last_words;
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
    SetUnhandledExceptionFilter(crash);
    std::set_terminate(aborted);
    // In a window's procedure 64-bit Windows swallows exceptions of 32-bit programs, unless it is told not to.
    HMODULE kernel = GetModuleHandleW(L"kernel32.dll");
    auto get = reinterpret_cast<BOOL(WINAPI*)(DWORD*)>(
        reinterpret_cast<void*>(GetProcAddress(kernel, "GetProcessUserModeExceptionPolicy")));
    auto set = reinterpret_cast<BOOL(WINAPI*)(DWORD)>(
        reinterpret_cast<void*>(GetProcAddress(kernel, "SetProcessUserModeExceptionPolicy")));
    DWORD policy;
    if (get && set && get(&policy)) set(policy & ~CALLBACK_FILTER);
}

bool dying_too_long() { return crashed_at && GetTickCount64() - crashed_at > LAST_WORDS_MS; }

}  // namespace koapy
