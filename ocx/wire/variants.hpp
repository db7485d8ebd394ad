// Values of frames as COM has them: UTF-8 there, BSTR and VARIANT here.
#pragma once

#include <windows.h>
#include <oleauto.h>

#include "frames.hpp"

namespace koapy {

// A VARIANT that frees itself.
struct Variant : VARIANT {
    Variant() { VariantInit(this); }
    explicit Variant(const std::wstring& text);
    explicit Variant(LONG number) { VariantInit(this); vt = VT_I4; lVal = number; }
    Variant(Variant&& other) noexcept { *static_cast<VARIANT*>(this) = other; VariantInit(&other); }
    Variant& operator=(Variant&& other) noexcept;
    Variant(const Variant&) = delete;
    ~Variant() { VariantClear(this); }
};

std::string utf8(const wchar_t* text, size_t size);
inline std::string utf8(const std::wstring& text) { return utf8(text.data(), text.size()); }
inline std::string utf8(BSTR text) { return utf8(text, SysStringLen(text)); }
std::wstring wide(std::string_view text);

// Any VARIANT as text; "" for nothing, and for what has no text.
std::string text_of(const VARIANT& value);

// Puts a value into a frame: whole numbers, texts, booleans, tables of texts; nothing for anything else.
void put(Writer& writer, const VARIANT& value);
// The next value of a frame.
Variant get_value(Reader& reader);

}  // namespace koapy
