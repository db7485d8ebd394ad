#include "greeting.hpp"

#include <windows.h>

namespace koapy {

Writer welcome(const Facts& functions, const Facts& events, const Facts& about) {
    Writer frame(Kind::WELCOME);
    frame.number(VERSION);
    frame.text(std::to_string(GetCurrentProcessId()) + "." + std::to_string(GetTickCount64()));
    for (const Facts* each : {&functions, &events, &about}) {
        Texts names, values;
        for (const auto& [name, value] : *each) {
            names.add(name);
            values.add(value);
        }
        frame.texts(names);
        frame.texts(values);
    }
    return frame;
}

}  // namespace koapy
