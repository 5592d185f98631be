/* docs/openapi.yaml, made from the table of routes and the tables of fields, so that it cannot say anything else. */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "base/text.h"

/* Append the whole document. */
void openapi_print(struct text *out);

#endif
