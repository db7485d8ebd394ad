// The frames' way: one thread reads, one writes, and nobody who sends ever waits. The end of the pipe is the end of
// this process, also while the control hangs: that is why the reading thread does nothing else.
#pragma once

#include <windows.h>

#include <atomic>
#include <deque>
#include <functional>
#include <string>

#include "../wire/frames.hpp"
#include "../wire/threads.hpp"

namespace koapy {

class Pipe {
public:
    Pipe(HANDLE in, HANDLE out) : in_(in), out_(out) {}

    // Reads the gateway's HELLO and gives its version; ends the process where it is none.
    uint16_t greeted();
    // Hands every frame that comes to `received`, on the reading thread. BEATs are not handed on.
    void start(std::function<void(std::string)> received);
    void send(const Writer& frame);
    // Waits until all that was sent is written, at most so long.
    void flush(DWORD milliseconds);
    // Writes now, past the queue: the process is about to end.
    void last_words(const Writer& frame);
    // How often frames have come; one that goes on counting is alive.
    unsigned heard() const { return heard_; }

private:
    void read_all();
    void write_all();
    bool pending();
    bool read(void* bytes, size_t size);
    bool write(const std::string& bytes);
    bool next(std::string& frame, uint32_t largest);

    HANDLE in_, out_;
    std::function<void(std::string)> received_;
    std::atomic<unsigned> heard_{0};
    Lock lock_, writing_;
    CONDITION_VARIABLE waiting_ = CONDITION_VARIABLE_INIT;  // the writer does, for something to write
    std::string queue_;
    bool busy_ = false;  // writing
    // Of the reading thread only: what one look at the pipe has brought.
    char incoming_[16384];
    DWORD got_ = 0, taken_ = 0;
};

}  // namespace koapy
