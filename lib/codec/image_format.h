/* The bytes of an image's head and chunks, for its writer and its reader. */
#ifndef HF_CODEC_IMAGE_FORMAT_H
#define HF_CODEC_IMAGE_FORMAT_H

#include "codec/image.h"
#include "codec/record.h"

/* raft_uv would unpack a file that begins with lz4's own frame magic. */
#define IMAGE_MAGIC "hf-image"
#define IMAGE_MAGIC_LEN 8
#define IMAGE_FORMAT 1
#define IMAGE_HEAD 48
#define IMAGE_HEAD_CRC_AT 44

/* Raw length, packed length (the same: not packed), number of the chunk from 0,
 * checksum of these and of the packed bytes, which follow. */
#define CHUNK_HEAD 16
#define CHUNK_CRC_AT 12
/* A chunk is closed by the record that fills it. */
#define CHUNK_RAW_MAX (IMAGE_CHUNK + RECORD_BYTES_MAX)
/* lz4 can't do better: what claims more is no chunk. */
#define CHUNK_RATIO_MAX 255

#endif
