// The certificate's cases of gradients. Above the line, as verify_cases.h.
#ifndef ISG_LIB_VERIFY_GRADIENT_H
#define ISG_LIB_VERIFY_GRADIENT_H

#include "verify_cases.h"

#include <isogram/gradient.h>

int isg_gradient_case_count(bool quick);
// The case's dtype and arithmetic are set. false: no memory.
bool isg_gradient_case_make(isg_case *c, int index, bool quick);
// What a GRADIENT asks for, with its arrays: out's first numbers, and c->parameters of double.
isg_gradient_params isg_gradient_case_wanted(const isg_case *c, void *out, double *parameters);
// Puts the parameters behind the rest, in two parts each.
void isg_gradient_case_put(const isg_case *c, void *out, const double *parameters);
// The reference's results. false: no memory.
bool isg_gradient_case_expected(const isg_case *c, void *out);

#endif
