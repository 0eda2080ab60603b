// The certificate from inside: on a context that is there already.
#ifndef ISG_LIB_VERIFY_H
#define ISG_LIB_VERIFY_H

#include "context.h"
#include "verify_cases.h"

#include <isogram/verify.h>

// As isg_verify, but for the context: params->context is not read, and the arithmetic is the context's. Afterwards the
// context is for destroying only.
isg_status isg_verify_context(isg_context *context, const isg_verify_params *params, isg_verify_summary *out);

// The context's results of a case, c->count of them: what isg_case_expected says, but for the NaNs' bits.
isg_status isg_verify_compute(isg_context *context, const isg_case *c, void *out);

#endif
