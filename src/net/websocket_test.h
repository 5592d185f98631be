/* One end of a WebSocket that notes what it sees. */
#ifndef NET_WEBSOCKET_TEST_H
#define NET_WEBSOCKET_TEST_H

#include "net/websocket.h"

#include "net/net_test.h"

/* One end and what it has seen. */
struct end {
	struct websocket *websocket;
	int opened;
	int closed;
	int drained;
	int messages;
	bool text;
	enum err_code code;
	char message[ERR_MESSAGE_MAX];
	struct text got; /* all messages, each followed by '|' */
	bool echo;
	bool free_in_message;
	bool close_in_message;
	bool pause_in_message;
};

static inline void on_opened(void *owner, struct websocket *websocket)
{
	struct end *end = owner;
	assert_ptr_equal(websocket, end->websocket);
	end->opened++;
}

static inline void on_message(void *owner, struct websocket *websocket, bool text,
			      const void *bytes, size_t len)
{
	struct end *end = owner;
	end->messages++;
	end->text = text;
	text_add_bytes(&end->got, bytes, len);
	text_add_char(&end->got, '|');
	if (end->echo)
		websocket_send(websocket, text, bytes, len);
	if (end->pause_in_message)
		websocket_pause(websocket, true);
	if (end->close_in_message)
		websocket_close(websocket, 4001, "enough");
	if (end->free_in_message)
		websocket_free(websocket);
	if (end->close_in_message || end->free_in_message)
		end->websocket = NULL;
}

static inline void on_drained(void *owner, struct websocket *websocket)
{
	struct end *end = owner;
	assert_ptr_equal(websocket, end->websocket);
	end->drained++;
}

static inline void on_closed(void *owner, struct websocket *websocket, const struct err *err)
{
	struct end *end = owner;
	assert_ptr_equal(websocket, end->websocket);
	end->closed++;
	end->code = err->code;
	memcpy(end->message, err->message, sizeof(end->message));
	end->websocket = NULL;
}

static const struct websocket_events events = { on_opened, on_message, on_drained, on_closed };

static inline void end_init(struct end *end)
{
	*end = (struct end){ 0 };
	text_init(&end->got, 64 << 20);
}

static inline void end_release(struct end *end)
{
	websocket_free(end->websocket);
	text_release(&end->got);
}

#endif
