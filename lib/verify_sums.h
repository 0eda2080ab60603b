// The certificate's cases of sums over points that K is never stored for. Above the line, as verify_cases.h.
#ifndef ISG_LIB_VERIFY_SUMS_H
#define ISG_LIB_VERIFY_SUMS_H

#include "verify_cases.h"

int isg_sum_case_count(bool quick);
// The case's dtype and arithmetic are set. false: no memory.
bool isg_sum_case_make(isg_case *c, int index, bool quick);
// A REDUCE's params with its arrays, out's values the first of c->count numbers; indices: for the extremes', or NULL.
isg_reduce_params isg_sum_case_reduction(const isg_case *c, void *out, int64_t *indices);
// Puts extremes' indices behind the values.
void isg_sum_case_put_indices(const isg_case *c, void *out, const int64_t *indices);
// The reference's results. false: no memory.
bool isg_sum_case_expected(const isg_case *c, void *out);

#endif
