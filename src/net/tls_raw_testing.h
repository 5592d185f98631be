/* A TLS client for tests that does only what it is told, from an address of its own: one that
 * never finishes, sends byte by byte, or reads nothing. */
#ifndef NET_TLS_RAW_TESTING_H
#define NET_TLS_RAW_TESTING_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/net_test.h"
#include "net/tls_testing.h"

struct tls_raw {
	struct raw raw; /* its fd; what came, deciphered; whether it has ended */
	SSL *ssl;
	bool open; /* the handshake is done */
};

/* Trusts whom it finds. `identity` NULL: without a certificate. */
static inline SSL_CTX *tls_raw_context(const struct test_identity *identity)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	if (!identity)
		return context;
	BIO *bio = BIO_new_mem_buf(identity->certificate_pem, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	bio = BIO_new_mem_buf(identity->key_pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_int_equal(SSL_CTX_use_cert_and_key(context, certificate, key, NULL, 1), 1);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return context;
}

/* Connect to 127.0.0.1:`port` from 127.0.0.`from`; nothing is sent yet. */
static inline void tls_raw_dial(struct tls_raw *client, SSL_CTX *context, int from, int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(0x7f000000U + (unsigned)from) };
	*client = (struct tls_raw){ .ssl = SSL_new(context) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)port);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	raw_init(&client->raw, fd);
	SSL_set_fd(client->ssl, fd);
}

static inline bool tls_raw_waits(struct tls_raw *client, int result)
{
	int error = SSL_get_error(client->ssl, result);
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/* Go on with the handshake, then read what there is. True, to stand in a condition. */
static inline bool tls_raw_go_on(struct tls_raw *client)
{
	char bytes[16384];
	int result = 1;
	if (client->raw.ended)
		return true;
	if (!client->open) {
		result = SSL_connect(client->ssl);
		client->open = result == 1;
	}
	while (client->open && (result = SSL_read(client->ssl, bytes, sizeof(bytes))) > 0)
		text_add_bytes(&client->raw.got, bytes, (size_t)result);
	if (!tls_raw_waits(client, result))
		client->raw.ended = true;
	ERR_clear_error();
	return true;
}

static inline bool tls_raw_has(struct tls_raw *client, const char *string)
{
	tls_raw_go_on(client);
	return strstr(text_string(&client->raw.got), string) != NULL;
}

/* How often `string` has come. */
static inline size_t tls_raw_count(struct tls_raw *client, const char *string)
{
	size_t n = 0;
	tls_raw_go_on(client);
	for (const char *at = text_string(&client->raw.got); (at = strstr(at, string)); at++)
		n++;
	return n;
}

static inline bool tls_raw_has_ended(struct tls_raw *client)
{
	tls_raw_go_on(client);
	return client->raw.ended;
}

/* Not encrypted before the handshake is done, of course: that is driven first. */
static inline void tls_raw_send(struct tls_raw *client, struct loop *loop, const char *string)
{
	size_t len = strlen(string);
	wait_for(loop, tls_raw_go_on(client) && (client->open || client->raw.ended));
	while (len && !client->raw.ended) {
		int n = SSL_write(client->ssl, string, (int)len);
		if (n > 0) {
			string += n;
			len -= (size_t)n;
		} else if (!tls_raw_waits(client, n)) {
			break; /* hung up: what it said is asserted */
		}
		ERR_clear_error();
		event_base_loop(loop->base, EVLOOP_NONBLOCK);
	}
}

static inline void tls_raw_release(struct tls_raw *client)
{
	SSL_free(client->ssl);
	raw_release(&client->raw);
	*client = (struct tls_raw){ .raw.fd = -1 };
}

#endif
