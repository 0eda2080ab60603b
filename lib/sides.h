// What every way of computing with a Gram operator needs of it on the device: the kernel's options and numbers, and its
// two sides, X's points along the rows and Y's along the columns, in panels.
#ifndef ISG_LIB_SIDES_H
#define ISG_LIB_SIDES_H

#include "gram.h"

enum { ISG_LONGEST_OPTIONS = 3000 };

// The build options that say what a pair's value is.
void isg_gram_put_options(isg_text *to, const isg_gram *gram);

// gram->numbers: the plan's numbers and its weights.
isg_status isg_gram_upload_numbers(isg_gram *gram);

// Points that one panel set may hold: within the largest buffer, and 32-bit indices. A multiple of every panel's width
// in any shape, for sets begin at panel borders; one such step is left free for a lead.
int64_t isg_points_per_set(const isg_gram *gram);

// gram->rows or gram->cols = panels of `width` of X's or Y's points [first, first + count), with all that is known of
// them, as isg_panels_pack says; what is there already stays.
isg_status isg_side_pack(isg_gram *gram, bool rows, int64_t first, int64_t count, int32_t width, int32_t multiple,
                         int32_t lead);

// What is known of the points in panels, as an argument: a kernel wants a buffer for every pointer, be it read or not.
cl_mem isg_side_data(const isg_gram *gram, const isg_panels *panels);

#endif
