// Where elements of K go, checked: any strides, half precision, the lower triangle; in host memory or a caller's
// buffer.
#ifndef ISG_LIB_GRAM_OUTPUT_H
#define ISG_LIB_GRAM_OUTPUT_H

#include "gram.h"

typedef enum isg_output_kind {
    ISG_OUTPUT_EMPTY,
    ISG_OUTPUT_ROWS,     // unit stride along rows
    ISG_OUTPUT_COLUMNS,  // unit stride along columns: the transpose is computed, which has the same bits
    ISG_OUTPUT_SCATTERED // any other strides, by way of a strip
} isg_output_kind;

typedef struct isg_output {
    isg_output_kind kind;
    isg_block block; // of COLUMNS, the transpose's
    isg_array k;
} isg_output;

// Element type and number of dimensions. halves: half precision will do beside single.
isg_status isg_output_check_type(const isg_gram *gram, const isg_array *k, int32_t ndim, bool halves);

// A block of K at (row, col), and the lower triangle of all of it.
isg_status isg_output_check(isg_gram *gram, int64_t row, int64_t col, const isg_array *k, isg_output *out);
isg_status isg_output_check_lower(isg_gram *gram, const isg_array *k, isg_output *out);

isg_status isg_output_compute(isg_gram *gram, const isg_output *out);

#endif
