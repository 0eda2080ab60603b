// Device specs, and the names of rows, modes and recipes, from text.
#include "device.h"
#include "fuzz.h"

#include <isogram/isogram.h>

#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    isg_device device = {.device_class = ISG_DEVICE_CPU, .platform_index = 1, .device_index = 2};
    strcpy(device.name, "pthread-some processor");
    strcpy(device.platform, "Portable Computing Language");
    bool matches = isg_spec_matches(text, &device);
    if (!isg_spec_is_name(text))
        MUST(matches == (strcasecmp(text, "auto") == 0 || strcasecmp(text, "cpu") == 0));
    isg_error error = {ISG_OK, ""};
    isg_candidate candidate = {.device = device};
    MUST(isg_no_device(text, &candidate, 1, "", &error) == ISG_ERR_NO_DEVICE);
    MUST(error.message[0] && memchr(error.message, 0, sizeof error.message));
    const isg_kernel *kernel = isg_kernel_find(text);
    MUST(!kernel || kernel->name[0]);
    const char *nearest = isg_kernel_nearest(text);
    MUST(!nearest || isg_kernel_find(nearest));
    MUST(isg_mode_named(text) >= ISG_MODE_DEFAULT && isg_mode_named(text) < ISG_MODE_COUNT);
    free(text);
    return 0;
}
