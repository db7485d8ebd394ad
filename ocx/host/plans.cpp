#include "plans.hpp"

#include <cctype>

namespace koapy {

namespace {

const std::wstring ORDER_NUMBER = L"주문번호";

std::string lower(std::string text) {
    for (char& each : text) each = static_cast<char>(std::tolower(static_cast<unsigned char>(each)));
    return text;
}

// An argument of the event, counted from the first.
std::wstring argument(const DISPPARAMS& arguments, UINT index) {
    if (index >= arguments.cArgs) return L"";
    return wide(text_of(arguments.rgvarg[arguments.cArgs - 1 - index]));
}

std::vector<std::string> strings(Reader& frame) {
    std::vector<std::string_view> found = frame.texts();
    return {found.begin(), found.end()};
}

Writer fields(const Texts& names, const Texts& values) {
    Writer carried;
    carried.form(Form::FIELDS);
    carried.texts(names);
    carried.texts(values);
    return carried;
}

// Whether GetCommDataEx gave as many rows and columns as the plan has; another edition of the control has others.
bool fits(const Variant& rows, LONG count, size_t columns) {
    if (rows.vt != (VT_ARRAY | VT_VARIANT) || !rows.parray || SafeArrayGetDim(rows.parray) != 2) return false;
    LONG low[2], high[2];
    for (UINT each = 0; each < 2; ++each) {
        SafeArrayGetLBound(rows.parray, each + 1, &low[each]);
        SafeArrayGetUBound(rows.parray, each + 1, &high[each]);
    }
    return high[0] - low[0] + 1 == count && static_cast<size_t>(high[1] - low[1] + 1) == columns;
}

}  // namespace

void Plans::take_plan(Reader& frame) {
    held_.clear();
    types_.clear();
    others_ = Fids();
    for (std::string& each : strings(frame)) held_.insert(std::move(each));
    for (uint32_t count = frame.get<uint32_t>(); count--;) {
        std::string name(frame.text());
        Fids listed;
        for (const std::string& fid : strings(frame)) {
            listed.fids.push_back(std::stol(fid));
            listed.names.add(fid);
        }
        (name.empty() ? others_ : types_[name]) = std::move(listed);
    }
    frame.end();
}

void Plans::take_trs(Reader& frame) {
    trs_.clear();
    for (uint32_t count = frame.get<uint32_t>(); count--;) {
        Tr& tr = trs_[lower(std::string(frame.text()))];
        tr.single_record = frame.text();
        tr.multi_record = frame.text();
        tr.single = strings(frame);
        tr.columns = strings(frame);
    }
    frame.end();
}

Writer Plans::read(Control& control, const std::string& event, const DISPPARAMS& arguments) const {
    try {
        if (event == "OnReceiveRealData") return tick(control, argument(arguments, 0), argument(arguments, 1));
        if (event == "OnReceiveChejanData") return chejan(control, utf8(argument(arguments, 2)));
        if (event == "OnReceiveTrData")
            return answer(control, argument(arguments, 1), argument(arguments, 2), argument(arguments, 3));
    } catch (const CallError& error) {
        Writer carried;
        carried.form(Form::UNREADABLE);
        carried.text(error.what());
        return carried;
    }
    Writer carried;
    carried.form(Form::NOTHING);
    return carried;
}

Writer Plans::tick(Control& control, const std::wstring& code, const std::wstring& kind) const {
    auto found = types_.find(utf8(kind));
    const Fids& wanted = found == types_.end() ? others_ : found->second;
    Texts values;
    if (!wanted.fids.empty()) {
        Control::Reading value(control, "GetCommRealData", code, 0L);
        for (LONG fid : wanted.fids) {
            value.from_last(0).lVal = fid;
            values.add(text_of(value()));
        }
    }
    return fields(wanted.names, values);
}

Writer Plans::chejan(Control& control, const std::string& list) const {
    Texts names, values;
    Control::Reading value(control, "GetChejanData", 0L);
    for (size_t at = 0; at < list.size();) {
        size_t end = list.find(';', at);
        if (end == list.npos) end = list.size();
        std::string fid = list.substr(at, end - at);
        at = end + 1;
        if (fid.empty() || fid.find_first_not_of("0123456789") != fid.npos) continue;
        names.add(fid);
        value.from_last(0).lVal = std::stol(fid);
        values.add(text_of(value()));
    }
    return fields(names, values);
}

Writer Plans::answer(Control& control, const std::wstring& request, const std::wstring& code,
                     const std::wstring& record) const {
    auto found = trs_.find(lower(utf8(code)));
    const Tr order{"", "", {utf8(ORDER_NUMBER)}, {}};
    bool is_tr = found != trs_.end();
    const Tr& tr = is_tr ? found->second : order;
    Texts records, single, values, columns, cells;
    for (const std::string& each : {utf8(request), utf8(record), std::string(), tr.single_record, tr.multi_record})
        records.add(each);
    Control::Reading cell(control, "GetCommData", code, request, 0L, std::wstring());
    auto read = [&cell](LONG row, const std::string& name) {
        cell.from_last(1).lVal = row;
        cell.from_last(0) = Variant(wide(name));
        return text_of(cell());
    };
    for (const std::string& name : tr.single) {
        single.add(name);
        values.add(read(0, name));
    }
    const std::wstring& rows_of = record.empty() ? request : record;
    // Without the function there are no rows to be read by number, and -1 says that nobody has asked.
    LONG count = -1;
    if (is_tr && control.has("GetRepeatCnt")) count = std::stol("0" + text_of(Control::Reading(control, "GetRepeatCnt", code, rows_of)()));
    Variant rows;
    if (count > 0) {
        // A TR that has rows but no names for them has the single part's names in each row.
        const std::vector<std::string>& names = tr.columns.empty() ? tr.single : tr.columns;
        for (const std::string& name : names) columns.add(name);
        if (control.has("GetCommDataEx")) rows = Control::Reading(control, "GetCommDataEx", code, rows_of)();
        if (!fits(rows, count, names.size()))
            for (LONG row = 0; row < count; ++row)
                for (const std::string& name : names) cells.add(read(row, name));
    }
    Writer carried;
    carried.form(Form::ANSWER);
    carried.text(utf8(code));
    carried.texts(records);
    carried.number(static_cast<int64_t>(count));
    carried.texts(single);
    carried.texts(values);
    carried.texts(columns);
    carried.texts(cells);
    put(carried, rows);
    return carried;
}

}  // namespace koapy
