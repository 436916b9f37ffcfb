#include "sums.h"

uint32_t crc32(struct slice bytes)
{
    uint32_t sum = ~(uint32_t)0;
    for (size_t i = 0; i < bytes.length; i++) {
        sum ^= (unsigned char)bytes.start[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? 0xedb88320u : 0);
    }
    return ~sum;
}
