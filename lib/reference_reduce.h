// The host's reductions: what isg_gram_reduce must give, computed plainly. No OpenCL here.
#ifndef ISG_LIB_REFERENCE_REDUCE_H
#define ISG_LIB_REFERENCE_REDUCE_H

#include "operator.h"

#include <isogram/reduce.h>

// params: checked, with matrices in place of vectors. false: no memory.
bool isg_reference_reduce(const isg_operator *op, bool fused, const isg_reduce_params *params);

#endif
