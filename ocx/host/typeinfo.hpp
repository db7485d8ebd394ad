// What a type library says of an interface's functions.
#pragma once

#include <windows.h>
#include <oaidl.h>

#include <string>
#include <vector>

namespace koapy {

struct Described {
    DISPID id;
    std::string name;
    std::string signature;  // as the catalogue writes it, such as GetCommRealData(sTrCode: str, nFid: int) -> str
};

// The functions of a dispatch interface, or the events of a source interface, which return nothing.
std::vector<Described> described(ITypeInfo* info, bool events);

}  // namespace koapy
