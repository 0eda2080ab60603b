// Devices: finding, ranking and choosing them. What a device says of itself; what it really does is probe.h's business.
#ifndef ISG_LIB_DEVICE_H
#define ISG_LIB_DEVICE_H

#include "base.h"
#include "cl.h"

#include <isogram/context.h>

typedef struct isg_candidate {
    isg_device device;
    cl_platform_id platform_id;
    cl_device_id device_id;
    cl_int code;      // of the first question about it that failed; what the device says of itself is then not known
    const char *call; // that asked it
} isg_candidate;

// What went wrong on the way to a list of devices: the first of it. "" when nothing did.
typedef char isg_trouble[160];

// Every device of every platform, best first; platforms that fail are passed over. *list: to be freed by the caller,
// NULL when there is none.
isg_status isg_candidates(isg_candidate **list, int32_t *count, isg_trouble trouble, isg_error *error);

// Describes a device that somebody else chose. Its indices are -1 where the platform does not list it: a part of a
// device. What asking it for its platform came to.
cl_int isg_candidate_of(isg_candidate *candidate, cl_device_id id);

bool isg_device_has_opencl_c_12(const isg_device *device);

// The device that this one is a part of, or NULL.
cl_device_id isg_device_parent(cl_device_id device);

// The place in a list of a device, or of the one it is a part of: PoCL lists the whole one for contexts and programs
// that were made for parts. -1: it is not there.
int32_t isg_device_place(cl_device_id device, const cl_device_id *list, size_t count);

// Whether a spec (see isg_context_params.device) takes this device.
bool isg_spec_matches(const char *spec, const isg_device *device);

// Whether a spec names one device rather than a class of them: such a device is refused, not passed over, when it
// fails.
bool isg_spec_is_name(const char *spec);

// Sets the error ISG_ERR_NO_DEVICE with what there is, and the trouble.
isg_status isg_no_device(const char *spec, const isg_candidate *list, int32_t count, const char *trouble,
                         isg_error *error);

#endif
