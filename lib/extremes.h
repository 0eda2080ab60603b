// The least or the largest of an operator's values for each target, with the sources that they belong to.
#ifndef ISG_LIB_EXTREMES_H
#define ISG_LIB_EXTREMES_H

#include "gram.h"

#include <isogram/skip.h>

typedef struct isg_extremes {
    isg_gram *gram;
    bool transposed; // the sources are X's points
    bool largest;
    int32_t count;           // for each target, at least 1
    double before, total;    // pairs that the call has done already, and of all of it
    const void *log_weights; // NULL, or as isg_sums has them: of the logarithms
    // With them, the largest one and no sources: blocks of pairs to be left out.
    isg_skip skip;
    isg_skip_report *report;
    // Results: targets x count, the best first; of the operator's type, and the sources' indices, or NULL. Of equal
    // values the first source comes first. NaN is left out; places that are left over have NaN and -1.
    void *values;
    int64_t *sources;
} isg_extremes;

isg_status isg_extremes_run(const isg_extremes *asked);

#endif
