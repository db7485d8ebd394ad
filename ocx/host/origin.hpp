// Where a control comes from and what it lives in: facts for the operator and for reports of what went wrong.
#pragma once

#include <windows.h>

#include <map>
#include <string>

namespace koapy {

// The class behind a ProgID or CLSID, as 32-bit programs find it.
HRESULT class_of(const std::wstring& id, CLSID& found);

// It need not be made for this; of one that is not registered there is less.
std::map<std::string, std::string> origin(const std::wstring& id);

}  // namespace koapy
