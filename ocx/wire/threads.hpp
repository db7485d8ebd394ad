// Windows' own locks and threads: those of C++ would need a library that Windows does not have.
#pragma once

#include <windows.h>

namespace koapy {

struct Lock {
    SRWLOCK it = SRWLOCK_INIT;
};

class Locked {
public:
    explicit Locked(Lock& lock) : lock_(lock) { AcquireSRWLockExclusive(&lock_.it); }
    ~Locked() { ReleaseSRWLockExclusive(&lock_.it); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

private:
    Lock& lock_;
};

// Runs a member function on a thread that lives as long as the process.
template <class T, void (T::*RUN)()> void begin_thread(T* self) {
    struct Main {
        static DWORD WINAPI run(void* given) {
            (static_cast<T*>(given)->*RUN)();
            return 0;
        }
    };
    CloseHandle(CreateThread(nullptr, 0, Main::run, self, 0, nullptr));
}

}  // namespace koapy
