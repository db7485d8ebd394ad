#include "simulation.hpp"

#include <ws2tcpip.h>

namespace koapy::fake {

void Simulation::open(const std::string& address, std::function<void(std::string)> event) {
    WSADATA ignored;
    WSAStartup(MAKEWORD(2, 2), &ignored);
    size_t colon = address.rfind(':');
    sockaddr_in there = {};
    there.sin_family = AF_INET;
    there.sin_port = htons(static_cast<u_short>(std::stoi(address.substr(colon + 1))));
    there.sin_addr.s_addr = inet_addr(address.substr(0, colon).c_str());
    socket_ = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(socket_, reinterpret_cast<sockaddr*>(&there), sizeof there)) throw Elsewhere("nobody is at " + address);
    BOOL at_once = TRUE;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, reinterpret_cast<char*>(&at_once), sizeof at_once);
    Writer hello(Kind::HELLO);
    for (const char* each = MAGIC; *each; ++each) hello.byte(static_cast<uint8_t>(*each));
    hello.number(VERSION);
    hello.text("fake OpenAPI+");
    send(hello);
    std::string frame;
    do {
        if (!next(frame)) throw Elsewhere("the simulation hung up");
    } while (static_cast<Kind>(frame[0]) == Kind::BEAT);
    if (static_cast<Kind>(frame[0]) != Kind::WELCOME) throw Elsewhere("the simulation refused: " + frame.substr(5));
    event_ = std::move(event);
    begin_thread<Simulation, &Simulation::read_all>(this);
}

Variant Simulation::call(const std::string& name, const std::vector<Variant>& arguments) {
    Writer frame(Kind::CALL);
    uint32_t number = ++calls_;
    frame.number(number);
    frame.number(uint32_t{0});
    frame.number(uint16_t{1});
    frame.text(name);
    frame.byte(static_cast<uint8_t>(arguments.size()));
    for (const Variant& each : arguments) put(frame, each);
    send(frame);
    Locked locked(lock_);
    while (answer_.empty() && !over_) SleepConditionVariableSRW(&answered_, &lock_.it, INFINITE, 0);
    if (answer_.empty()) throw Elsewhere("the simulation hung up");
    std::string answer;
    answer.swap(answer_);
    Reader reader(answer);
    reader.get<uint32_t>();
    reader.get<uint16_t>();
    bool failed = reader.get<uint8_t>();
    if (!failed) return get_value(reader);
    std::string kind(reader.text());
    throw Elsewhere(kind + ": " + std::string(reader.text()));
}

// Also gives the signs of life that the other side waits for: it sends its own each second.
void Simulation::read_all() {
    for (std::string frame; next(frame);) {
        Kind kind = static_cast<Kind>(frame[0]);
        if (kind == Kind::BEAT) send(Writer(Kind::BEAT));
        if (kind == Kind::EVENT) event_(frame);
        if (kind == Kind::RESULT) {
            Locked locked(lock_);
            answer_ = frame;
            WakeAllConditionVariable(&answered_);
        }
    }
    Locked locked(lock_);
    over_ = true;
    WakeAllConditionVariable(&answered_);
}

bool Simulation::next(std::string& frame) {
    auto receive = [this](char* bytes, size_t size) {
        for (size_t at = 0; at < size;) {
            int done = recv(socket_, bytes + at, static_cast<int>(size - at), 0);
            if (done <= 0) return false;
            at += done;
        }
        return true;
    };
    uint32_t size;
    if (!receive(reinterpret_cast<char*>(&size), sizeof size) || !size || size > LARGEST) return false;
    frame.resize(size);
    return receive(frame.data(), size);
}

void Simulation::send(const Writer& frame) {
    Writer size;
    size.number(static_cast<uint32_t>(frame.data().size()));
    std::string bytes = size.data() + frame.data();
    // One send per frame: calls and signs of life come from different threads.
    ::send(socket_, bytes.data(), static_cast<int>(bytes.size()), 0);
}

}  // namespace koapy::fake
