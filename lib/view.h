// Arrays where they lie, in host memory or in a caller's buffer: checked, compared, read back.
#ifndef ISG_LIB_VIEW_H
#define ISG_LIB_VIEW_H

#include "context.h"

// The bytes [begin, end) that a view spans, gaps included: of host memory (root NULL; this is also where a buffer over
// host memory lies), or of a buffer that is no part of another.
typedef struct isg_place {
    cl_mem root;
    uint64_t begin, end;
} isg_place;

// Finds where an array lies; an empty one spans nothing. For a buffer, checks that it is one of the context's and that
// the view stays within it. name: what messages call the array.
isg_status isg_view_place(isg_context *context, const isg_array *array, const char *name, isg_place *place);

bool isg_places_meet(const isg_place *a, const isg_place *b);

// Whether two elements of a matrix share an address.
bool isg_view_overlaps_itself(const isg_array *matrix);

// The flags that a buffer was made with; 0 when it does not say.
cl_mem_flags isg_view_flags(cl_mem mem);

// Turns a checked view of a buffer into one of host memory, a copy. Waits for what is in the queue. *copy: to be freed.
isg_status isg_view_read(isg_context *context, isg_array *array, const char *name, void **copy);

// An array that is worked on in host memory: itself, or a copy of what a checked view of a buffer shows.
typedef struct isg_lent {
    isg_array host, given;
    void *copy;
} isg_lent;

isg_status isg_view_lend(isg_context *context, isg_lent *lent, const isg_array *array, const char *name);
// Puts what was written to lent->host back where it belongs.
isg_status isg_view_return(isg_context *context, const isg_lent *lent);
void isg_lent_free(isg_lent *lent);

#endif
