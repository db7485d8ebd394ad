#include "frames.hpp"

namespace koapy {

void Texts::add(std::string_view text) {
    // The zero byte ends a text of a list, so what a control hides behind one cannot be told.
    joined_.append(text.substr(0, text.find('\0')));
    joined_.push_back('\0');
    ++count_;
}

void Writer::text(std::string_view text) {
    if (text.size() > LARGEST) throw FrameError("a text that fits no frame");
    number(static_cast<uint32_t>(text.size()));
    raw(text.data(), text.size());
}

void Writer::texts(const Texts& texts) {
    number(texts.count());
    number(static_cast<uint32_t>(texts.joined().size()));
    raw(texts.joined().data(), texts.joined().size());
}

std::string_view Reader::take(size_t size) {
    if (size > frame_.size() - at_) throw FrameError("a frame ends too early");
    std::string_view found = frame_.substr(at_, size);
    at_ += size;
    return found;
}

std::vector<std::string_view> Reader::texts() {
    uint32_t count = get<uint32_t>();
    std::string_view joined = take(get<uint32_t>());
    std::vector<std::string_view> found;
    while (!joined.empty()) {
        size_t end = joined.find('\0');
        if (end == joined.npos) throw FrameError("a list of texts without its end");
        found.push_back(joined.substr(0, end));
        joined.remove_prefix(end + 1);
    }
    if (found.size() != count) throw FrameError("a list of texts has another length than it says");
    return found;
}

void Reader::end() const {
    if (at_ != frame_.size()) throw FrameError("bytes too many in a frame");
}

}  // namespace koapy
