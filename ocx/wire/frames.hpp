// The frames of docs/remote.md as bytes: no pipe, no thread, no COM.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace koapy {

constexpr char MAGIC[] = "KOAPYCTL";
constexpr uint16_t VERSION = 3;
constexpr uint32_t LARGEST = 16u << 20;
// Until the other side has said HELLO: a stranger makes nobody keep more.
constexpr uint32_t LARGEST_GREETING = 1024;

enum class Kind : uint8_t {
    HELLO = 1, WELCOME, REFUSED, CALL, RESULT, TRS, EVENT, BEAT, BYE, PLAN, DONE, RULES, DIALOG, BUSY
};

// What an event carries.
enum class Form : uint8_t { NOTHING, FIELDS, ANSWER, UNREADABLE };

// What a value is.
enum class Tag : uint8_t { NONE, INT, STR, BOOL, ROWS };

// These bytes are no frame, or this does not fit one.
struct FrameError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// A list of texts as a frame has it: how many, how many bytes, then each text with a zero byte after it.
class Texts {
public:
    void add(std::string_view text);
    uint32_t count() const { return count_; }
    const std::string& joined() const { return joined_; }

private:
    uint32_t count_ = 0;
    std::string joined_;
};

class Writer {
public:
    explicit Writer(Kind kind) { byte(static_cast<uint8_t>(kind)); }
    Writer() = default;

    void byte(uint8_t value) { data_.push_back(static_cast<char>(value)); }
    void number(uint16_t value) { raw(&value, sizeof value); }
    void number(uint32_t value) { raw(&value, sizeof value); }
    void number(int64_t value) { raw(&value, sizeof value); }
    void form(Form form) { byte(static_cast<uint8_t>(form)); }
    void tag(Tag tag) { byte(static_cast<uint8_t>(tag)); }
    void text(std::string_view text);
    void texts(const Texts& texts);
    void append(const Writer& part) { data_ += part.data_; }
    const std::string& data() const { return data_; }

private:
    void raw(const void* bytes, size_t size) { data_.append(static_cast<const char*>(bytes), size); }
    std::string data_;
};

// Reads a frame from its kind on; each method throws FrameError where the frame is too short or says nonsense.
class Reader {
public:
    explicit Reader(std::string_view frame) : frame_(frame) { kind = static_cast<Kind>(get<uint8_t>()); }

    template <class T> T get() {
        T value;
        std::memcpy(&value, take(sizeof value).data(), sizeof value);
        return value;
    }
    std::string_view take(size_t size);
    std::string_view text() { return take(get<uint32_t>()); }
    std::vector<std::string_view> texts();
    void end() const;

    Kind kind;

private:
    std::string_view frame_;
    size_t at_ = 0;
};

}  // namespace koapy
