#include "filter_words.h"
#include "options.h"

#include <string.h>

bool take_nan(isg_filter_params *params, const char *value)
{
    size_t length = strcspn(value, "=");
    params->nan = ISG_NAN_DEFAULT;
    for (int i = 1; i < ISG_NAN_COUNT; i++) {
        const char *name = isg_nan_policy_name((isg_nan_policy)i);
        if (strlen(name) == length && strncmp(name, value, length) == 0)
            params->nan = (isg_nan_policy)i;
    }
    bool number = value[length] == '=' && parse_double(value + length + 1, &params->fill);
    bool wrong = (value[length] && !number) || (number && params->nan == ISG_NAN_PROPAGATE) ||
                 (!number && params->nan == ISG_NAN_FILL);
    params->fills_nothing = number && params->nan != ISG_NAN_FILL;
    return (params->nan && !wrong) || (misuse("--nan '%s'; it is propagate, ignore, preserve or fill=V", value), false);
}

bool take_memory(isg_filter_params *params, const char *value)
{
    double bytes;
    if (!parse_double(value, &bytes) || !(bytes >= 1 && bytes < 0x1p62))
        return misuse("--memory '%s'; it is a number of bytes, such as 4e9", value), false;
    params->memory = (int64_t)bytes;
    return true;
}
