/* Managers that are called by a name: what a name server does, and when, is not ours to choose. libevent asks one on
 * loopback instead of the machine's. */
#include "net/dial.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <event2/dns.h>
#include <netinet/in.h>

#include "net/net_test.h"
#include "net/tls_testing.h"

#define TYPE_A	  1
#define TYPE_AAAA 28

static int name_server_fd;
static int name_server_port;

/* Takes the place of libevent's. */
struct evdns_base *evdns_base_new(struct event_base *base, int flags)
{
	struct evdns_base *(*real)(struct event_base *, int);
	char server[32];
	*(void **)&real = dlsym(RTLD_NEXT, "evdns_base_new");
	struct evdns_base *dns = real(base, flags & ~EVDNS_BASE_INITIALIZE_NAMESERVERS);
	text_print(server, sizeof(server), "127.0.0.1:%d", name_server_port);
	assert_int_equal(evdns_base_nameserver_ip_add(dns, server), 0);
	/* How long the second of two answers is waited for, in seconds. */
	assert_int_equal(evdns_base_set_option(dns, "getaddrinfo-allow-skew:", "0.02"), 0);
	return dns;
}

struct question {
	unsigned char bytes[512];
	ssize_t len;
	struct sockaddr_in from;
};

static int type_of(const struct question *question)
{
	return question->bytes[question->len - 4] << 8 | question->bytes[question->len - 3];
}

/* The two questions for a name: one for each family. */
static void take_questions(struct loop *loop, struct question questions[2])
{
	for (int n = 0; n < 2; n++) {
		struct question *question = &questions[n];
		socklen_t size = sizeof(question->from);
		wait_for(loop,
			 (question->len = recvfrom(name_server_fd, question->bytes,
						   sizeof(question->bytes), MSG_DONTWAIT,
						   (struct sockaddr *)&question->from, &size)) > 0);
	}
}

/* There is no address of that family. */
static void answer_none(struct question *question)
{
	question->bytes[2] = 0x81;
	question->bytes[3] = 0x80;
	assert_int_equal(sendto(name_server_fd, question->bytes, (size_t)question->len, 0,
				(struct sockaddr *)&question->from, sizeof(question->from)),
			 question->len);
}

static int set_up(void **state)
{
	(void)state;
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	name_server_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(name_server_fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(name_server_fd, (struct sockaddr *)&address, &size), 0);
	name_server_port = ntohs(address.sin_port);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return close(name_server_fd);
}

static void a_dial_may_be_given_up_however_far_its_lookup_is(void **state)
{
	(void)state;
	static const int answered[] = { 0, TYPE_A, TYPE_AAAA };
	struct loop loop;
	struct test_authority authority;
	struct endpoint endpoint = { .host = (char *)(uintptr_t) "manager.example", .port = 1 };
	struct err err;
	loop_init(&loop);
	test_authority_init(&authority);
	struct tls_options options = { .ca_pem = authority.pem };
	assert_int_equal(tls_context_new(&options, &endpoint.tls, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(answered); i++) {
		struct dial dial;
		struct question questions[2];
		assert_int_equal(dial_begin(loop.base, &endpoint, &dial, &err), 0);
		take_questions(&loop, questions);
		for (int n = 0; n < 2; n++)
			if (type_of(&questions[n]) == answered[i])
				answer_none(&questions[n]);
		turn(&loop);
		dial_release(&dial);
		/* Longer than the second answer is waited for. */
		loop_run(&loop, 50000);
	}
	tls_context_free(endpoint.tls);
	test_authority_release(&authority);
	loop_release(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_dial_may_be_given_up_however_far_its_lookup_is,
						set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
