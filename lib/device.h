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
} isg_candidate;

// Every device of every platform, best first. *list: to be freed by the caller, NULL when there is none.
isg_status isg_candidates(isg_candidate **list, int32_t *count, isg_error *error);

// Whether a spec (see isg_context_params.device) takes this device.
bool isg_spec_matches(const char *spec, const isg_device *device);

// Whether a spec names one device rather than a class of them: such a device is refused, not passed over, when it
// fails.
bool isg_spec_is_name(const char *spec);

// Sets the error ISG_ERR_NO_DEVICE with what there is.
isg_status isg_no_device(const char *spec, const isg_candidate *list, int32_t count, isg_error *error);

#endif
