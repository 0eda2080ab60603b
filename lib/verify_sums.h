// The certificate's cases of sums over points that K is never stored for. Above the line, as verify_cases.h.
#ifndef ISG_LIB_VERIFY_SUMS_H
#define ISG_LIB_VERIFY_SUMS_H

#include "verify_cases.h"

int isg_sum_case_count(bool quick);
// The case's dtype and arithmetic are set. false: no memory.
bool isg_sum_case_make(isg_case *c, int index, bool quick);
// The reference's results. false: no memory.
bool isg_sum_case_expected(const isg_case *c, void *out);

#endif
