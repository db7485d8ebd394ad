#include "typeinfo.hpp"

#include "../wire/variants.hpp"

namespace koapy {

namespace {

// Those of IUnknown and IDispatch, which some libraries list.
constexpr DISPID FIRST_OF_COM = 0x60000000;

std::string type_name(VARTYPE type) {
    switch (type) {
    case VT_BSTR: return "str";
    case VT_I2: case VT_I4: case VT_INT: case VT_UI4: case VT_UINT: return "int";
    case VT_BOOL: return "bool";
    case VT_VARIANT: return "array";
    case VT_VOID: case VT_HRESULT: return "none";
    }
    return "type " + std::to_string(type);
}

Described one(ITypeInfo* info, const FUNCDESC& function, bool event) {
    BSTR names[64] = {};
    UINT count = 0;
    info->GetNames(function.memid, names, 64, &count);
    Described found{function.memid, count ? utf8(names[0]) : "", ""};
    found.signature = found.name + "(";
    for (SHORT each = 0; each < function.cParams; ++each) {
        std::string name = each + 1 < static_cast<SHORT>(count) ? utf8(names[each + 1]) : "?";
        found.signature += (each ? ", " : "") + name + ": " + type_name(function.lprgelemdescParam[each].tdesc.vt);
    }
    found.signature += event ? ")" : ") -> " + type_name(function.elemdescFunc.tdesc.vt);
    for (UINT each = 0; each < count; ++each) SysFreeString(names[each]);
    return found;
}

}  // namespace

std::vector<Described> described(ITypeInfo* info, bool events) {
    std::vector<Described> found;
    TYPEATTR* attributes = nullptr;
    if (FAILED(info->GetTypeAttr(&attributes))) return found;
    UINT count = attributes->cFuncs;
    info->ReleaseTypeAttr(attributes);
    for (UINT each = 0; each < count; ++each) {
        FUNCDESC* function = nullptr;
        if (FAILED(info->GetFuncDesc(each, &function))) continue;
        if (function->invkind == INVOKE_FUNC && function->memid > 0 && function->memid < FIRST_OF_COM)
            found.push_back(one(info, *function, events));
        info->ReleaseFuncDesc(function);
    }
    return found;
}

}  // namespace koapy
