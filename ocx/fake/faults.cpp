#include "faults.hpp"

namespace koapy::fake {

namespace {

// The next word, taken off the front.
std::wstring word(std::wstring& rest) {
    size_t end = rest.find(L' ');
    std::wstring found = rest.substr(0, end);
    rest = end == rest.npos ? L"" : rest.substr(end + 1);
    return found;
}

void crash() {
    volatile int* nowhere = nullptr;
    *nowhere = 1;
}

}  // namespace

void Faults::arm(const std::wstring& fault) {
    std::wstring rest = fault;
    Armed armed;
    armed.action = word(rest);
    armed.moment = word(rest);
    armed.name = word(rest);
    armed.text = rest;
    armed_.push_back(armed);
}

void Faults::at(const std::wstring& moment, const std::wstring& name) {
    for (auto each = armed_.begin(); each != armed_.end(); ++each) {
        if (each->moment != moment || each->name != name) continue;
        Armed armed = *each;
        armed_.erase(each);
        size_t bar = armed.text.find(L'|');
        if (armed.action == L"crash") crash();
        if (armed.action == L"hang") Sleep(INFINITE);
        if (armed.action == L"dialog")
            MessageBoxW(nullptr, armed.text.substr(bar + 1).c_str(), armed.text.substr(0, bar).c_str(), MB_OK);
        return;
    }
}

}  // namespace koapy::fake
