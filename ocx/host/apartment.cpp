#include "apartment.hpp"

#include <algorithm>

#include "ending.hpp"
#include "greeting.hpp"

namespace koapy {

namespace {

constexpr DWORD FLUSH_MS = 1000;
// Bytes of what a call's functions returned: a frame has room for a failure's words besides.
constexpr size_t MOST_RETURNED = LARGEST - 65536;

}  // namespace

void Apartment::post(std::string frame) {
    Reader reader(frame);
    uint32_t event = 0;
    if (reader.kind == Kind::CALL) reader.get<uint32_t>();
    if (reader.kind == Kind::CALL || reader.kind == Kind::DONE) event = reader.get<uint32_t>();
    else if (reader.kind != Kind::PLAN && reader.kind != Kind::TRS && reader.kind != Kind::BYE) throw FrameError("this is not for a gateway to send");
    Locked locked(lock_);
    inbox_.push_back({reader.kind, event, std::move(frame)});
    SetEvent(arrived_);
}

void Apartment::open(const std::wstring& id) {
    try {
        Activity::Block busy(control_.activity, "the making of the control");
        control_.create(id, [this](const std::string& name, const DISPPARAMS& arguments) { fired(name, arguments); });
    } catch (const CallError& error) {
        Writer refused(Kind::REFUSED);
        refused.text(error.what());
        pipe_.send(refused);
        pipe_.flush(FLUSH_MS);
        end(REFUSED);
    }
    pipe_.send(welcome(control_.functions(), control_.events(), control_.about()));
}

void Apartment::run() {
    // One message, then all calls: neither a flood of events nor one of calls starves the other.
    while (!over_) {
        MsgWaitForMultipleObjectsEx(1, &arrived_, INFINITE, QS_ALLINPUT, MWMO_INPUTAVAILABLE);
        MSG message;
        if (PeekMessageW(&message, nullptr, 0, 0, PM_REMOVE)) {
            Activity::Block busy(control_.activity, "a message of the control");
            TranslateMessage(&message);
            DispatchMessageW(&message);
        }
        for (std::string frame; !over_ && take(frame);) handle(frame);
    }
    control_.destroy();
    pipe_.flush(FLUSH_MS);
}

// The next frame that may be handled now: inside an event only that event's calls run, the others wait for its end.
// A call of an event that is over, or that never waited, belongs to none.
bool Apartment::take(std::string& frame) {
    uint32_t inside = held_.empty() ? 0 : held_.back();
    Locked locked(lock_);
    for (auto each = inbox_.begin(); each != inbox_.end(); ++each) {
        bool open = std::find(held_.begin(), held_.end(), each->event) != held_.end();
        bool now = each->kind == Kind::PLAN || each->kind == Kind::TRS || (each->kind == Kind::BYE && !inside) ||
                   (each->kind == Kind::DONE && each->event == inside) ||
                   (each->kind == Kind::CALL && (open ? each->event : 0) == inside);
        if (!now) continue;
        frame = std::move(each->frame);
        inbox_.erase(each);
        return true;
    }
    return false;
}

void Apartment::handle(const std::string& frame) {
    try {
        Reader reader(frame);
        switch (reader.kind) {
        case Kind::CALL: return call(reader);
        case Kind::PLAN: return plans_.take_plan(reader);
        case Kind::TRS: return plans_.take_trs(reader);
        case Kind::DONE: done_ = reader.get<uint32_t>(); return;
        default: over_ = true;
        }
    } catch (const std::logic_error&) {  // a number that is none
        end(NO_PROTOCOL);
    } catch (const FrameError&) {
        end(NO_PROTOCOL);
    }
}

// The functions of a call one after the other; the first that fails ends it.
void Apartment::call(Reader& frame) {
    uint32_t number = frame.get<uint32_t>();
    frame.get<uint32_t>();
    uint16_t made = 0;
    Writer returned, failure;
    for (uint16_t functions = frame.get<uint16_t>(); made < functions && failure.data().empty();) {
        std::string name(frame.text());
        std::vector<Variant> arguments(frame.get<uint8_t>());
        for (Variant& each : arguments) each = get_value(frame);
        try {
            Writer value;
            put(value, control_.call(name, std::move(arguments)));
            if (returned.data().size() + value.data().size() > MOST_RETURNED)
                throw CallError("what it returned fits no frame");
            returned.append(value);
            ++made;
        } catch (const CallError& error) {
            failure.text("COMError");
            failure.text(name + ": " + error.what());
        }
    }
    Writer result(Kind::RESULT);
    result.number(number);
    result.number(made);
    result.byte(!failure.data().empty());
    result.append(returned);
    result.append(failure);
    pipe_.send(result);
}

void Apartment::fired(const std::string& name, const DISPPARAMS& arguments) {
    if (++events_ == 0) ++events_;  // 0 is no event
    uint32_t number = events_;
    bool holds = plans_.holds(name);
    Writer event(Kind::EVENT);
    event.number(number);
    event.byte(holds);
    event.text(name);
    event.byte(static_cast<uint8_t>(arguments.cArgs));
    for (UINT each = arguments.cArgs; each--;) put(event, arguments.rgvarg[each]);
    Writer carried = plans_.read(control_, name, arguments);
    if (event.data().size() + carried.data().size() > LARGEST) {
        carried = Writer();
        carried.form(Form::UNREADABLE);
        carried.text("what can be read of it fits no frame");
    }
    event.append(carried);
    pipe_.send(event);
    if (holds) hold(number);
}

// Stays inside the event. Messages that other threads wait for get through; posted ones, and with them further events,
// wait: in the control's own event nothing else of it happens, unless a call that is made here causes it.
void Apartment::hold(uint32_t number) {
    Activity::Block idle(control_.activity, nullptr);
    held_.push_back(number);
    while (done_ != number) {
        for (std::string frame; done_ != number && take(frame);) handle(frame);
        if (done_ == number) break;
        if (MsgWaitForMultipleObjects(1, &arrived_, FALSE, INFINITE, QS_SENDMESSAGE) == WAIT_OBJECT_0 + 1) {
            MSG message;
            PeekMessageW(&message, nullptr, 0, 0, PM_NOREMOVE | (QS_SENDMESSAGE << 16));
        }
    }
    held_.pop_back();
    SetEvent(arrived_);  // what was not for this event may be for the one around it
}

}  // namespace koapy
