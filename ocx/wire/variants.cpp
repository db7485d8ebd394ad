#include "variants.hpp"

namespace koapy {

Variant::Variant(const std::wstring& text) {
    VariantInit(this);
    vt = VT_BSTR;
    bstrVal = SysAllocStringLen(text.data(), static_cast<UINT>(text.size()));
}

Variant& Variant::operator=(Variant&& other) noexcept {
    if (this != &other) {
        VariantClear(this);
        *static_cast<VARIANT*>(this) = other;
        VariantInit(&other);
    }
    return *this;
}

// Nearly all that a control says is ASCII, which needs no table: that is worth looking.
std::string utf8(const wchar_t* text, size_t size) {
    size_t plain = 0;
    while (plain < size && text[plain] < 0x80) ++plain;
    if (plain == size) return std::string(text, text + size);
    int wides = static_cast<int>(size);
    int bytes = WideCharToMultiByte(CP_UTF8, 0, text, wides, nullptr, 0, nullptr, nullptr);
    std::string found(bytes, '\0');
    WideCharToMultiByte(CP_UTF8, 0, text, wides, found.data(), bytes, nullptr, nullptr);
    return found;
}

std::wstring wide(std::string_view text) {
    size_t plain = 0;
    while (plain < text.size() && static_cast<unsigned char>(text[plain]) < 0x80) ++plain;
    if (plain == text.size()) return std::wstring(text.begin(), text.end());
    int bytes = static_cast<int>(text.size());
    int wides = MultiByteToWideChar(CP_UTF8, 0, text.data(), bytes, nullptr, 0);
    std::wstring found(wides, L'\0');
    MultiByteToWideChar(CP_UTF8, 0, text.data(), bytes, found.data(), wides);
    return found;
}

std::string text_of(const VARIANT& value) {
    if (value.vt == VT_BSTR) return utf8(value.bstrVal);
    Variant copy;
    if (FAILED(VariantChangeType(&copy, const_cast<VARIANT*>(&value), 0, VT_BSTR))) return "";
    return utf8(copy.bstrVal);
}

namespace {

// A table of one or two dimensions; one of one dimension is taken for rows of one column.
void put_rows(Writer& writer, SAFEARRAY* array, VARTYPE type) {
    LONG low, high, counts[2] = {0, 1};
    for (UINT each = 0; each < SafeArrayGetDim(array); ++each) {
        SafeArrayGetLBound(array, each + 1, &low);
        SafeArrayGetUBound(array, each + 1, &high);
        counts[each] = high - low + 1;
    }
    const auto [rows, columns] = counts;
    void* cells = nullptr;
    if (FAILED(SafeArrayAccessData(array, &cells))) return writer.tag(Tag::NONE);
    writer.tag(Tag::ROWS);
    writer.number(static_cast<uint32_t>(rows));
    for (LONG row = 0; row < rows; ++row) {
        Texts texts;
        for (LONG column = 0; column < columns; ++column) {
            LONG at = column * rows + row;  // all of the first column come first
            texts.add(type == VT_BSTR ? utf8(static_cast<BSTR*>(cells)[at]) : text_of(static_cast<VARIANT*>(cells)[at]));
        }
        writer.texts(texts);
    }
    SafeArrayUnaccessData(array);
}

Variant get_rows(Reader& reader) {
    uint32_t count = reader.get<uint32_t>();
    std::vector<std::vector<std::string_view>> rows;
    size_t columns = 0;
    while (count--) {
        rows.push_back(reader.texts());
        columns = rows.back().size() > columns ? rows.back().size() : columns;
    }
    SAFEARRAYBOUND bounds[2] = {{static_cast<ULONG>(rows.size()), 0}, {static_cast<ULONG>(columns), 0}};
    Variant found;
    found.vt = VT_ARRAY | VT_VARIANT;
    found.parray = SafeArrayCreate(VT_VARIANT, 2, bounds);
    for (LONG row = 0; row < static_cast<LONG>(rows.size()); ++row)
        for (LONG column = 0; column < static_cast<LONG>(rows[row].size()); ++column) {
            LONG index[2] = {row, column};
            Variant text(wide(rows[row][column]));
            SafeArrayPutElement(found.parray, index, &text);
        }
    return found;
}

}  // namespace

void put(Writer& writer, const VARIANT& value) {
    VARTYPE element = value.vt & ~VT_ARRAY;
    if ((value.vt & VT_ARRAY) && (element == VT_VARIANT || element == VT_BSTR)) {
        UINT dimensions = value.parray ? SafeArrayGetDim(value.parray) : 0;
        if (dimensions == 1 || dimensions == 2) return put_rows(writer, value.parray, element);
    }
    Variant plain;
    if (value.vt & VT_BYREF) {
        VariantCopyInd(&plain, const_cast<VARIANT*>(&value));
        return put(writer, plain);
    }
    switch (value.vt) {
    case VT_BSTR:
        writer.tag(Tag::STR);
        return writer.text(utf8(value.bstrVal));
    case VT_BOOL:
        writer.tag(Tag::BOOL);
        return writer.byte(value.boolVal != VARIANT_FALSE);
    case VT_EMPTY:
    case VT_NULL:
        return writer.tag(Tag::NONE);
    }
    if (SUCCEEDED(VariantChangeType(&plain, const_cast<VARIANT*>(&value), 0, VT_I8))) {
        writer.tag(Tag::INT);
        return writer.number(static_cast<int64_t>(plain.llVal));
    }
    writer.tag(Tag::NONE);
}

Variant get_value(Reader& reader) {
    Variant found;
    switch (static_cast<Tag>(reader.get<uint8_t>())) {
    case Tag::NONE:
        return found;
    case Tag::INT: {
        int64_t number = reader.get<int64_t>();
        if (number == static_cast<LONG>(number)) return Variant(static_cast<LONG>(number));
        found.vt = VT_I8;
        found.llVal = number;
        return found;
    }
    case Tag::STR:
        return Variant(wide(reader.text()));
    case Tag::BOOL:
        found.vt = VT_BOOL;
        found.boolVal = reader.get<uint8_t>() ? VARIANT_TRUE : VARIANT_FALSE;
        return found;
    case Tag::ROWS:
        return get_rows(reader);
    }
    throw FrameError("a value of an unknown kind");
}

}  // namespace koapy
