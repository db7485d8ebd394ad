#include "readable.hpp"

#include <algorithm>

namespace koapy::fake {

namespace {

std::map<std::string, std::string> table(Reader& frame) {
    std::vector<std::string_view> names = frame.texts(), values = frame.texts();
    std::map<std::string, std::string> found;
    for (size_t each = 0; each < names.size() && each < values.size(); ++each) found.emplace(names[each], values[each]);
    return found;
}

std::vector<std::string> list(Reader& frame) {
    std::vector<std::string_view> found = frame.texts();
    return {found.begin(), found.end()};
}

Variant text(const std::string& found) { return Variant(wide(found)); }

std::string trimmed(std::string given) {
    given.erase(0, given.find_first_not_of(' '));
    given.erase(given.find_last_not_of(' ') + 1);
    return given;
}

}  // namespace

Readable::Readable(Reader& frame) {
    switch (static_cast<Form>(frame.get<uint8_t>())) {
    case Form::FIELDS:
        fields_ = table(frame);
        return;
    case Form::ANSWER:
        code_ = frame.text();
        records_ = list(frame);
        count_ = static_cast<LONG>(frame.get<int64_t>());
        single_ = table(frame);
        columns_ = list(frame);
        cells_ = list(frame);
        rows_ = get_value(frame);
        return;
    case Form::UNREADABLE:
        failure_ = frame.text();
        return;
    case Form::NOTHING:
        return;
    }
}

Readable Readable::page(const std::string& code, const std::string& request, LONG rows, LONG columns) {
    Readable made;
    made.code_ = code;
    made.records_ = {request};
    made.count_ = rows;
    SAFEARRAYBOUND bounds[2] = {{static_cast<ULONG>(rows), 0}, {static_cast<ULONG>(columns), 0}};
    made.rows_.vt = VT_ARRAY | VT_VARIANT;
    made.rows_.parray = SafeArrayCreate(VT_VARIANT, 2, bounds);
    for (LONG column = 0; column < columns; ++column) made.columns_.push_back("f" + std::to_string(column));
    for (LONG row = 0; row < rows; ++row)
        for (LONG column = 0; column < columns; ++column) {
            LONG index[2] = {row, column};
            Variant cell(std::to_wstring(row) + L"/" + std::to_wstring(column));
            SafeArrayPutElement(made.rows_.parray, index, &cell);
        }
    return made;
}

bool Readable::reads(const std::string& function) {
    for (const char* each : {"GetCommRealData", "GetChejanData", "GetCommData", "GetRepeatCnt", "GetCommDataEx"})
        if (function == each) return true;
    return false;
}

Variant Readable::read(const std::string& function, const std::vector<Variant>& arguments) const {
    if (!failure_.empty()) throw Elsewhere(failure_);
    if (tick_ && function == "GetCommRealData")
        return Variant(std::to_wstring(arguments[1].lVal) + L"=" + std::to_wstring(tick_));
    auto argument = [&](size_t index) { return text_of(arguments[index]); };
    if (function == "GetCommRealData" || function == "GetChejanData") {
        auto found = fields_.find(argument(arguments.size() - 1));
        return text(found == fields_.end() ? "" : found->second);
    }
    bool ours = !records_.empty() && argument(0) == code_ &&
                std::find(records_.begin(), records_.end(), argument(1)) != records_.end();
    if (function == "GetRepeatCnt") return Variant(ours && count_ > 0 ? count_ : 0L);
    if (function == "GetCommDataEx") {
        Variant copy;
        if (ours) VariantCopy(&copy, const_cast<Variant*>(&rows_));
        return copy;
    }
    return ours ? cell(std::stol(argument(2)), trimmed(argument(3))) : text("");
}

Variant Readable::cell(LONG row, const std::string& item) const {
    auto single = single_.find(item);
    if (row == 0 && single != single_.end()) return text(single->second);
    auto column = std::find(columns_.begin(), columns_.end(), item);
    if (column == columns_.end() || row < 0 || row >= count_) return text("");
    LONG at = static_cast<LONG>(column - columns_.begin());
    if (!cells_.empty()) return text(cells_[row * columns_.size() + at]);
    LONG index[2] = {row, at};
    Variant found;
    if (rows_.vt != (VT_ARRAY | VT_VARIANT) || FAILED(SafeArrayGetElement(rows_.parray, index, &found))) return text("");
    return found;
}

}  // namespace koapy::fake
