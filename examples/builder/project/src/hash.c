#include "hash.h"

uint64_t hash_bytes(const void *bytes, size_t count)
{
    const unsigned char *byte = bytes;
    uint64_t sum = 0x9e3779b97f4a7c15u + count;
    for (size_t i = 0; i < count; i++) {
        sum = (sum ^ byte[i]) * 0xff51afd7ed558ccdu;
        sum ^= sum >> 29;
    }
    return sum;
}
