#include "pipe.hpp"

#include <algorithm>

#include "ending.hpp"

namespace koapy {

namespace {

// Bytes that may wait for a gateway that does not read.
constexpr size_t MOST_WAITING = 64u << 20;

std::string framed(const Writer& frame) {
    Writer size;
    size.number(static_cast<uint32_t>(frame.data().size()));
    return size.data() + frame.data();
}

}  // namespace

uint16_t Pipe::greeted() {
    std::string frame;
    if (!next(frame, LARGEST_GREETING)) end(PIPE_CLOSED);
    Reader hello(frame);
    if (hello.kind != Kind::HELLO || hello.take(sizeof MAGIC - 1) != MAGIC) end(NO_PROTOCOL);
    return hello.get<uint16_t>();
}

void Pipe::start(std::function<void(std::string)> received) {
    received_ = std::move(received);
    begin_thread<Pipe, &Pipe::read_all>(this);
    begin_thread<Pipe, &Pipe::write_all>(this);
}

void Pipe::send(const Writer& frame) {
    uint32_t size = static_cast<uint32_t>(frame.data().size());
    Locked locked(lock_);
    queue_.append(reinterpret_cast<const char*>(&size), sizeof size);
    queue_ += frame.data();
    if (queue_.size() > MOST_WAITING) end(BEHIND);
    if (!busy_) WakeConditionVariable(&waiting_);  // a writer that is writing looks again by itself
}

void Pipe::flush(DWORD milliseconds) {
    for (ULONGLONG until = GetTickCount64() + milliseconds; pending() && GetTickCount64() < until;) Sleep(5);
}

bool Pipe::pending() {
    Locked locked(lock_);
    return busy_ || !queue_.empty();
}

void Pipe::last_words(const Writer& frame) {
    // Only if no frame is half written: words in the middle of one would be taken for a part of it.
    for (int tries = 0; tries < 50; ++tries, Sleep(10))
        if (TryAcquireSRWLockExclusive(&writing_.it)) {
            write(framed(frame));
            return;
        }
}

void Pipe::read_all() {
    try {
        for (std::string frame; next(frame, LARGEST); frame.clear()) {
            ++heard_;
            if (static_cast<Kind>(frame[0]) != Kind::BEAT) received_(std::move(frame));
        }
    } catch (const FrameError&) {
        end(NO_PROTOCOL);
    }
    end(PIPE_CLOSED);
}

void Pipe::write_all() {
    for (std::string bytes;; bytes.clear()) {
        {
            Locked locked(lock_);
            busy_ = !queue_.empty();
            while (queue_.empty()) SleepConditionVariableSRW(&waiting_, &lock_.it, INFINITE, 0);
            bytes.swap(queue_);
            busy_ = true;
        }
        Locked locked(writing_);
        if (!write(bytes)) end(PIPE_CLOSED);
    }
}

bool Pipe::read(void* bytes, size_t size) {
    for (char* to = static_cast<char*>(bytes); size;) {
        if (taken_ == got_) {
            if (!ReadFile(in_, incoming_, sizeof incoming_, &got_, nullptr) || !got_) return false;
            taken_ = 0;
        }
        DWORD part = static_cast<DWORD>(std::min<size_t>(size, got_ - taken_));
        std::memcpy(to, incoming_ + taken_, part);
        taken_ += part;
        to += part;
        size -= part;
    }
    return true;
}

bool Pipe::write(const std::string& bytes) {
    for (size_t at = 0; at < bytes.size();) {
        DWORD done = 0;
        if (!WriteFile(out_, bytes.data() + at, static_cast<DWORD>(bytes.size() - at), &done, nullptr)) return false;
        at += done;
    }
    return true;
}

bool Pipe::next(std::string& frame, uint32_t largest) {
    uint32_t size;
    if (!read(&size, sizeof size)) return false;
    if (!size || size > largest) end(NO_PROTOCOL);
    frame.resize(size);
    return read(frame.data(), size);
}

}  // namespace koapy
