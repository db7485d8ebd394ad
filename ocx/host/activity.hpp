// What the apartment is doing, for a thread that watches it.
#pragma once

#include <windows.h>

#include <atomic>

namespace koapy {

class Activity {
public:
    // Says that the thread is in `what` until the end of the block; nullptr: it waits for the gateway, or for nothing.
    class Block {
    public:
        Block(Activity& activity, const char* what) : activity_(activity), what_(activity.what_), since_(activity.since_) {
            activity.since_ = GetTickCount64();
            activity.what_ = what;
        }
        ~Block() {
            activity_.since_ = since_;
            activity_.what_ = what_;
        }
        Block(const Block&) = delete;
        Block& operator=(const Block&) = delete;

    private:
        Activity& activity_;
        const char* what_;
        ULONGLONG since_;
    };

    // The name of what is done; it is never freed. nullptr: nothing.
    const char* what() const { return what_; }
    ULONGLONG milliseconds() const {
        ULONGLONG since = since_, now = GetTickCount64();
        return now > since ? now - since : 0;
    }

private:
    std::atomic<const char*> what_{nullptr};
    std::atomic<ULONGLONG> since_{0};
};

}  // namespace koapy
