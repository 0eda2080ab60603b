#include "reference.h"

extern const isg_reference isg_reference_f32_unfused, isg_reference_f32_fused;
extern const isg_reference isg_reference_f64_unfused, isg_reference_f64_fused;

const isg_reference *isg_reference_get(isg_dtype dtype, bool fused)
{
    if (dtype == ISG_F64)
        return fused ? &isg_reference_f64_fused : &isg_reference_f64_unfused;
    return fused ? &isg_reference_f32_fused : &isg_reference_f32_unfused;
}

const char *isg_contract_name(isg_dtype dtype, bool fused)
{
    if (dtype == ISG_F64)
        return fused ? "isogram-2/f64/fused" : "isogram-2/f64/unfused";
    return fused ? "isogram-2/f32/fused" : "isogram-2/f32/unfused";
}
