// The Gram operator from inside: checked points and parameters, and what its ways of computing keep between calls.
#ifndef ISG_LIB_GRAM_H
#define ISG_LIB_GRAM_H

#include "buffer.h"
#include "operator.h"
#include "view.h"

#include <isogram/gram.h>

typedef struct isg_fast isg_fast; // gram_fast.c's

struct isg_gram {
    isg_context *context;
    isg_operator op;
    void *norms[2];             // of x and y: 1/|x| in two parts, one array behind the other; NULL: not needed
    void *copies[2];            // of x and y, where they were read back from a caller's buffer
    isg_place x_place, y_place; // where the caller's points lie; their buffers are retained
    isg_progress_fn progress;
    void *progress_user;
    double before, of; // of a call that computes several blocks: elements of those before, and of all. 0: one block
    // Kept by gram_direct between calls.
    isg_panels rows, cols;   // cols stays empty where rows serve as both
    cl_mem numbers;          // of the plan, and its weights
    double pairs_per_second; // the best that launches gave so far; 0: not known
    cl_event pending;        // of the last launch that nothing has waited for, or NULL
    isg_fast *fast;          // NULL: the contract's method
    bool swapped;            // x and y have changed places for the time being
    double elements;         // of K, in the last call
};

// How a public call on an operator begins; as isg_context_enter.
static inline isg_status isg_gram_enter(isg_gram *gram)
{
    return gram ? isg_context_enter(gram->context) : ISG_ERR_ARGUMENT;
}

// A block of K in host memory: element (row + a, col + b) lies at data + (a * stride + b) elements. Or, with mem, in a
// caller's buffer: there it is element offset + a * stride + b. Of the lower triangle of K(X, X), element (i, j) lies
// at i (i + 1)/2 + j instead; the block is all of it.
typedef struct isg_block {
    int64_t row, col;
    int64_t rows, cols;
    int64_t stride;
    isg_dtype dtype; // the operator's, or half precision beside a single one
    bool lower;
    void *data;
    cl_mem mem;
    int64_t offset;
    uint64_t address; // of the first element, as far as its alignment goes
} isg_block;

// gram_direct.c: by subtracting first, under the contract. The caller has checked everything. With context->chain, and
// mem then, launches are enqueued and nothing waits.
isg_status isg_gram_direct_block(isg_gram *gram, isg_block block);
isg_status isg_gram_direct_diagonal(isg_gram *gram, int64_t count, void *out);

// gram_fast.c: what the method needs besides; a call begins; a block. tolerance: 0 for the default.
isg_status isg_gram_fast_make(isg_gram *gram, double tolerance);
void isg_gram_fast_free(isg_gram *gram);
isg_status isg_gram_fast_begin(isg_gram *gram);
isg_status isg_gram_fast_block(isg_gram *gram, isg_block block);

// gram_direct.c: how it computes, for those that measure its limits.
int32_t isg_gram_direct_lanes(const isg_gram *gram);

#endif
