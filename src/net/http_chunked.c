/* The chunked coding, byte by byte.
 *
 *   SIZE -> [EXTENSION ->] SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE ...
 *   SIZE_LF of size 0 -> LINE -> [NAME -> VALUE -> VALUE_LF -> LINE ...] -> END_LF -> DONE
 *
 * Invariants: the state after n bytes does not depend on how they were cut into reads; every line
 * ends in CR LF; the bytes of all extensions and of all trailers of a body are bounded together. */
#include "base/check.h"
#include "net/http.h"
#include "net/http_syntax.h"

enum state {
	SIZE = 0,
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	LINE,
	NAME,
	VALUE,
	VALUE_LF,
	END_LF,
	DONE,
};

#define SIZE_DIGITS_MAX 16

static enum err_code refuse(struct err *err, const char *message)
{
	return err_set(err, ERR_PROTOCOL, "%s", message);
}

static enum err_code read_size(struct http_chunked *chunked, unsigned char c, struct err *err)
{
	int digit = http_hex_value(c);
	if (digit >= 0) {
		if (chunked->digits == SIZE_DIGITS_MAX)
			return refuse(err, "a chunk's size has more than 16 digits");
		chunked->digits++;
		chunked->left_bytes = chunked->left_bytes << 4 | (unsigned)digit;
		return ERR_NONE;
	}
	if (chunked->digits == 0 || (c != '\r' && c != ';'))
		return refuse(err, "a chunk's size is not a hexadecimal number");
	chunked->state = c == '\r' ? SIZE_LF : EXTENSION;
	return ERR_NONE;
}

static enum err_code read_extension(struct http_chunked *chunked, unsigned char c, struct err *err)
{
	if (c == '\r') {
		chunked->state = SIZE_LF;
		return ERR_NONE;
	}
	if (!http_is_value(c))
		return refuse(err, "a chunk extension has a control character in it");
	if (++chunked->extension_bytes > LIMIT_HTTP_CHUNK_EXTENSION_BYTES)
		return refuse(err, "chunk extensions are longer than 256 bytes");
	return ERR_NONE;
}

static enum err_code read_trailer(struct http_chunked *chunked, unsigned char c, struct err *err)
{
	if (++chunked->trailer_bytes > LIMIT_HTTP_TRAILER_BYTES)
		return refuse(err, "trailers are longer than 8 KiB");
	switch ((enum state)chunked->state) {
	case LINE:
		if (c == '\r')
			chunked->state = END_LF;
		else if (http_is_token(c))
			chunked->state = NAME;
		else
			return refuse(err, "a trailer has no name");
		return ERR_NONE;
	case NAME:
		if (c == ':')
			chunked->state = VALUE;
		else if (!http_is_token(c))
			return refuse(err, "a trailer's name holds a character it may not");
		return ERR_NONE;
	default:
		if (c == '\r')
			chunked->state = VALUE_LF;
		else if (!http_is_value(c))
			return refuse(err, "a trailer has a control character in it");
		return ERR_NONE;
	}
}

/* The LF that must follow a CR. */
static enum err_code read_lf(struct http_chunked *chunked, unsigned char c, struct err *err)
{
	if (c != '\n')
		return refuse(err, "CR without LF in the chunked coding");
	switch ((enum state)chunked->state) {
	case SIZE_LF:
		chunked->state = chunked->left_bytes ? DATA : LINE;
		chunked->digits = 0;
		break;
	case DATA_LF: chunked->state = SIZE; break;
	case VALUE_LF: chunked->state = LINE; break;
	default:
		chunked->state = DONE;
		chunked->done = true;
		break;
	}
	return ERR_NONE;
}

static enum err_code read_byte(struct http_chunked *chunked, unsigned char c, struct err *err)
{
	switch ((enum state)chunked->state) {
	case SIZE: return read_size(chunked, c, err);
	case EXTENSION: return read_extension(chunked, c, err);
	case DATA_CR:
		if (c != '\r')
			return refuse(err, "a chunk is longer than its size");
		chunked->state = DATA_LF;
		return ERR_NONE;
	case LINE:
	case NAME:
	case VALUE: return read_trailer(chunked, c, err);
	case SIZE_LF:
	case DATA_LF:
	case VALUE_LF:
	case END_LF: return read_lf(chunked, c, err);
	case DATA:
	case DONE: break;
	}
	UNREACHABLE("a chunk's bytes are not read one by one");
}

enum err_code http_chunked_read(struct http_chunked *chunked, const char *bytes, size_t len,
				size_t *ret_consumed, struct http_view *ret_body, struct err *err)
{
	size_t at = 0;
	struct http_view body = { bytes, 0 };
	while (at < len && !chunked->done && !body.len) {
		if (chunked->state == DATA) {
			size_t run = len - at;
			if (run > chunked->left_bytes)
				run = (size_t)chunked->left_bytes;
			body = (struct http_view){ bytes + at, run };
			at += run;
			chunked->left_bytes -= run;
			if (!chunked->left_bytes)
				chunked->state = DATA_CR;
			continue;
		}
		enum err_code code = read_byte(chunked, (unsigned char)bytes[at], err);
		if (code)
			return code;
		at++;
	}
	*ret_consumed = at;
	*ret_body = body;
	return ERR_NONE;
}
