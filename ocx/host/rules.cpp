#include "rules.hpp"

namespace koapy {

bool Rule::knows(const Box& box) const {
    auto within = [](const std::string& wanted, const std::string& found) { return found.find(wanted) != found.npos; };
    return within(title, box.title) && within(owner, box.owner) && within(text, box.text);
}

std::vector<Rule> read_rules(Reader& frame) {
    std::vector<Rule> rules(frame.get<uint16_t>());
    for (Rule& each : rules)
        for (std::string* part : {&each.title, &each.owner, &each.text, &each.action}) *part = frame.text();
    frame.end();
    return rules;
}

}  // namespace koapy
