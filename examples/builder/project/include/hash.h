/* Hashes of bytes. */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>

/* For tables. */
uint64_t hash_bytes(const void *bytes, size_t count);

#endif
