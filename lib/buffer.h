// Arrays to and from device memory: plain buffers, host memory used in place, and points packed into panels.
#ifndef ISG_LIB_BUFFER_H
#define ISG_LIB_BUFFER_H

#include "context.h"
#include "points.h"

// A buffer of device memory. ISG_ERR_MEMORY when it exceeds the context's limit.
isg_status isg_buffer_new(isg_context *context, cl_mem *out, cl_mem_flags flags, int64_t bytes);

// A buffer for kernels to read, with a copy of host memory. Goes through no queue, so it waits for nothing.
isg_status isg_buffer_copy_of(isg_context *context, cl_mem *out, const void *host, int64_t bytes);

// Host memory as a buffer: in place on devices that share memory with the host, else a device buffer, filled when
// `copy` is set.
isg_status isg_buffer_of_host(isg_context *context, cl_mem *out, cl_mem_flags flags, void *host, int64_t bytes,
                              bool copy);

// Makes what kernels wrote to a buffer over host memory visible to the host; waits for them.
isg_status isg_buffer_to_host(isg_context *context, cl_mem mem, void *host, int64_t bytes);

void isg_buffer_free(cl_mem *mem);

// Some consecutive points, in panels of `width` as pack.cl lays them out.
typedef struct isg_panels {
    cl_mem mem;
    cl_mem data; // what else is known of the points, as value.h says; NULL: nothing
    int64_t first, count;
    int32_t width, multiple;
    int32_t lead;    // places left empty in front of the first point
    int32_t pitch;   // of data
    cl_event packed; // of the command that packs them, or only read them, and may be under way; NULL: it is done
} isg_panels;

// Packs points [first, first + count), and zeros up to a multiple of `multiple`, itself one of width. panels: zeroed,
// or packed before; points that are there already are kept. With context->chain nothing waits: packing depends on none
// of the chain's events, and joins them. extras: extra_count arrays in host memory, with an element of the points' type
// for each point of all.
isg_status isg_panels_pack(isg_context *context, isg_panels *panels, const isg_points *points, const isg_scale *scale,
                           const void *const *extras, int extra_count, int64_t first, int64_t count, int32_t width,
                           int32_t multiple, int32_t lead);
// Waits for packing that is under way, for it reads the points.
void isg_panels_free(isg_panels *panels);

#endif
