/* CRC-32C (Castagnoli), as in RFC 3720. Start with 0; chains. */
#ifndef HF_CODEC_CRC_H
#define HF_CODEC_CRC_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);
/* The same without the processor's help: what crc32c falls back to. */
uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t len);

#endif
