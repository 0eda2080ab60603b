// The host's derived filters: what devices must equal. No OpenCL.
#ifndef ISG_LIB_REFERENCE_DERIVED_H
#define ISG_LIB_REFERENCE_DERIVED_H

#include "derived_plan.h"
#include "reference.h"

// As isg_reference_filter_masked, of plan->outputs arrays.
bool isg_reference_derived(const isg_reference *reference, const isg_derived_plan *plan, const isg_array *in,
                           const isg_array *mask, const isg_array *out);

#endif
