// Where a control comes from and what it lives in: facts for the operator and for reports of what went wrong.
#pragma once

#include <windows.h>

#include <map>
#include <string>

namespace koapy {

std::map<std::string, std::string> origin(const std::wstring& id, REFCLSID clsid);

}  // namespace koapy
