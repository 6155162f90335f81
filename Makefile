# holdfast: one Makefile for all folders.  `make help` lists the targets.
MAKEFLAGS += -rR
.DELETE_ON_ERROR:
.PHONY: all check pure layers exports installed manuals promises demo bench \
	sim mutants model soak chaos pause drill fuzz install uninstall deps lint \
	format clean distclean help
all:

ifneq ($(and $(filter deps,$(MAKECMDGOALS)),$(filter-out deps,$(MAKECMDGOALS))),)

# `make deps check`: config.mk, which a make reads before it runs anything, can't
# be made before deps has run, so the other goals are those of a second make.
goals := $(filter-out deps,$(MAKECMDGOALS))
.PHONY: $(goals)
$(firstword $(goals)): deps
	+@$(MAKE) --no-print-directory $(goals)
$(wordlist 2,$(words $(goals)),$(goals)): $(firstword $(goals)) ; @:
deps:
	@CC='$(if $(filter default,$(origin CC)),,$(CC))' tools/deps $(goals)

else

# --- configuration, made on first use and remade when its sources change ---
ifneq ($(filter-out deps layers promises lint format clean distclean help,\
	$(or $(MAKECMDGOALS),all)),)
include config.mk
endif
configure: configure.ac
	@command -v autoconf >/dev/null || { echo "not found: autoconf; \
	run \`make deps\`, or install autoconf" >&2; exit 1; }
	@rm -f $@ && autoconf -f
config.mk: configure lib/config.mk.in
	@if test -x config.status; then ./config.status -q --recheck && \
	./config.status -q; else ./configure -q; fi

# --- variants, each in a build folder of its own ---
comma := ,
empty :=
space := $(empty) $(empty)
B := build/$(or $(subst $(space),-,$(strip $(subst $(comma),-,$(SAN)) \
	$(if $(COV),coverage))),plain)
VARIANT := $(if $(SAN),-O1 -fno-omit-frame-pointer -fsanitize=$(SAN) \
	-fno-sanitize-recover=all) $(if $(COV),-O0 --coverage \
	-fprofile-update=atomic)
plain := $(if $(SAN)$(COV),,yes)
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wvla -Wundef -Wconversion $(if $(WERROR),-Werror)
ALL_CFLAGS = -std=c11 -fPIC -fvisibility=hidden -pthread $(WARN) $(CFLAGS) \
	$(VARIANT)
ALL_LDFLAGS = $(ALL_CFLAGS) -Wl,--as-needed $(LDFLAGS)

# --- what there is to build ---
sources = $(foreach folder,$1,$(sort $(wildcard $(folder)/*.c)))
objects = $(patsubst %.c,$B/%.o,$(call sources,$1))
programs = $(patsubst %.c,$B/%,$(call sources,$1))

test_folders := unit script sim live fuzz
LIB_OBJ   := $(call objects,lib/*)
TEST_OBJ  := $(call objects,test/lib $(test_folders:%=test/%/lib))
BENCH_OBJ := $(call objects,test/bench/lib)
SOAK_OBJ  := $(call objects,test/soak/lib)
CHAOS_OBJ := $(call objects,test/chaos/lib) $B/test/lib/history.o
TESTS     := $(call programs,$(test_folders:%=test/%))
BENCHES   := $(call programs,test/bench)
SOAKS     := $(call programs,test/soak)
CHAOS     := $(call programs,test/chaos)
PROGRAMS  := $(filter-out $(if $(SQLITE_LIBS),,%/sqlite-fence),\
	$(call programs,examples tools))
SO        := libholdfast.so.$(SOVERSION)
# Examples run by themselves and judge what they show, so each is a test; but
# not those that want arguments or a directory, nor the parts of the demo. Under
# sanitizers, too: together they take half a minute there. Not for coverage,
# which is that of the tests.
by_hand   := async cluster-demo cluster-worker singleton smallest
EXAMPLES  := $(filter-out $(by_hand:%=$B/examples/%),\
	$(filter $B/examples/%,$(PROGRAMS)))
# These see the public header only, as anybody's program does.
outside   := examples/% tools/% test/bench/% test/soak/% test/chaos/%

all: $B/libholdfast.a $B/$(SO) $(PROGRAMS)

# V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $1 $2)

$B/%.o: %.c config.mk
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$Q$(CC) -D_GNU_SOURCE -Iinclude $(if $(filter test/%,$<),-Itest) \
	$(if $(filter $(outside),$<),,-Ilib -DHF_VERSION='"$(VERSION)"' \
	$(DEPS_CFLAGS) $(if $(filter test/%,$<),$(CHECK_CFLAGS))) \
	$(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The archive holds one object whose hidden symbols are local: it exports hf_*
# only.
$B/libholdfast.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$Q$(LD) -r -o $B/holdfast.o $^
	$Q$(OBJCOPY) --localize-hidden $B/holdfast.o
	$Qrm -f $@ && $(AR) rcs $@ $B/holdfast.o
# clang leaves a sanitizer's own symbols to the program.
$B/$(SO): $(LIB_OBJ)
	$(call say,LD,$@)
	$Q$(CC) $(ALL_LDFLAGS) -shared -Wl,-soname,$(SO) \
	$(if $(SAN),,-Wl$(comma)--no-undefined) -o $@ $^ $(DEPS_LIBS)
$(PROGRAMS) $(BENCHES) $(SOAKS) $(CHAOS): %: %.o $B/libholdfast.a
	$(call say,LD,$@)
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) \
	$(MORE_LIBS) $(DEPS_LIBS)
$B/examples/sqlite-fence.o: CPPFLAGS += $(SQLITE_CFLAGS)
$B/examples/sqlite-fence: MORE_LIBS = $(SQLITE_LIBS)
$(BENCHES): $(BENCH_OBJ)
$(SOAKS): $(SOAK_OBJ)
$(CHAOS): $(CHAOS_OBJ)
# Tests reach the internals: they link the objects that they need, of archives
# of all of them.
$B/test.a: $(TEST_OBJ)
$B/internal.a: $(LIB_OBJ)
$B/test.a $B/internal.a:
	$(call say,AR,$@)
	$Qrm -f $@ && $(AR) rcs $@ $^
$(TESTS): %: %.o $B/test.a $B/internal.a
	$(call say,LD,$@)
	$Q$(CC) $(ALL_LDFLAGS) $(if $(findstring fuzzer,$(SAN)),$(if \
	$(filter $B/test/fuzz/%,$@),-fsanitize=fuzzer)) -o $@ $^ $(CHECK_LIBS) $(DEPS_LIBS)

# --- tests; see test/lib/run ---
tests := $(TESTS) $(if $(COV),,$(EXAMPLES))
chosen := $(if $T,$(foreach t,$(tests),$(if $(findstring $T,$(t:$B/%=%)),$t)),$(tests))
rules := $(if $T,,$(if $(plain),pure layers exports installed manuals \
	promises errors))
env = B='$B' CC='$(CC)' LD='$(LD)' NM='$(NM)' PKG_CONFIG='$(PKG_CONFIG)' \
	SO='$(SO)' SAN='$(SAN)' COV='$(COV)' GCOV='$(or $(GCOV),gcov)'

check: $(chosen) $(if $T,,all)
	@$(if $(COV),find $B -name '*.gcda' -delete)
	@$(env) test/lib/run $(chosen) $(rules:%=test/lib/%)
pure: $(call objects,$(addprefix lib/,base core codec repl node))
exports: $B/libholdfast.a $B/$(SO)
installed: all
pure layers exports installed manuals promises:
	@$(env) test/lib/$@

demo: $B/examples/cluster-demo $B/examples/cluster-worker
	@$(env) $<
bench: all $(BENCHES)
	@$(env) test/bench/run
sim: $B/test/sim/sim
	@$(env) $< $(or $(SEEDS),1-100)
soak: $B/test/soak/soak all
	@$(env) $< $(or $N,100)
pause: $B/test/soak/pause all
	@$(env) $< $(or $N,500)
drill: $B/test/soak/drill all
	@$(env) $<
chaos: $B/test/chaos/chaos all
	@$(env) $< $(if $N,--operations $N) $(MIX)
model:
	@$(env) test/model/run $W
mutants:
	@$(env) test/mutant/run $M
fuzz:
	@$(env) RUNS='$(or $(RUNS),100000)' test/fuzz/run $T

# --- installation ---
D := $(DESTDIR)
lib_dir = $D$(libdir)
man_pages := $(wildcard doc/*.[1-8])
man_dirs := $(sort $(patsubst .%,man%,$(suffix $(man_pages))))

install: $B/libholdfast.a $B/$(SO)
	install -d $(lib_dir)/pkgconfig $D$(includedir)
	install -m 644 $B/libholdfast.a $(lib_dir)
	install -m 755 $B/$(SO) $(lib_dir)/libholdfast.so.$(VERSION)
	ln -sf libholdfast.so.$(VERSION) $(lib_dir)/$(SO)
	ln -sf $(SO) $(lib_dir)/libholdfast.so
	install -m 644 include/*.h $D$(includedir)
	sed -e 's|@prefix@|$(prefix)|' -e 's|@VERSION@|$(VERSION)|' \
	-e 's|@libdir@|$(patsubst $(prefix)/%,$${prefix}/%,$(libdir))|' \
	-e 's|@includedir@|$(patsubst $(prefix)/%,$${prefix}/%,$(includedir))|' \
	-e 's|@DEPS_MODULES@|$(DEPS_MODULES)|' \
	lib/holdfast.pc.in >$(lib_dir)/pkgconfig/holdfast.pc
	chmod 644 $(lib_dir)/pkgconfig/holdfast.pc
	$(foreach dir,$(man_dirs),install -d $D$(mandir)/$(dir) && \
	install -m 644 doc/*.$(dir:man%=%) $D$(mandir)/$(dir) &&) :
uninstall:
	rm -f $(lib_dir)/libholdfast.a $(lib_dir)/libholdfast.so* \
	$(lib_dir)/pkgconfig/holdfast.pc \
	$(patsubst include/%,$D$(includedir)/%,$(wildcard include/*.h)) \
	$(foreach page,$(man_pages),\
	$D$(mandir)/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))

# --- upkeep ---
deps:
	@CC='$(if $(filter default,$(origin CC)),,$(CC))' tools/deps
lint:
	@tools/lint
format:
	find include lib examples tools test -name '*.[ch]' \
	-exec clang-format -i {} +
clean:
	rm -rf build
distclean: clean
	rm -rf configure configure~ config.mk config.log config.status \
	autom4te.cache

-include $(patsubst %.o,%.d,$(LIB_OBJ) $(TEST_OBJ) $(BENCH_OBJ) $(SOAK_OBJ) \
	$(CHAOS_OBJ) $(addsuffix .o,$(TESTS) $(BENCHES) $(SOAKS) $(CHAOS) \
	$(PROGRAMS)))

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

endif

#: make             the libraries and examples, in build/plain
#: make deps        install with apt what is missing to build, test and lint;
#:                  also before others: make deps check
#: make check       all tests, and examples; ends with "N passed, 0 failed"
#: make demo        three processes, one killed, one stopped: about 15 s
#: make bench       what it does in a second, beside what the disk can
#: make sim         simulated clusters            SEEDS=1-100
#: make mutants     planted bugs must be found    M=name
#: make model       the protocol, explored whole  W=wrong variant
#: make soak        real processes, killed        N=100 restarts
#: make chaos       real processes, bad networks, disks and clocks
#:                                                N=operations MIX=name
#: make pause       holders stopped too long      N=500 stops
#: make fuzz        every decoder, and the core   RUNS=100000 T=target
#: make drill       what happens to leases when the leader dies, a majority
#:                  is lost, a member is cut off or stops
#: make install     to prefix=/usr/local          DESTDIR=
#: make uninstall   from there
#: make pure layers exports installed manuals promises
#:                  one of the checks that `make check` ends with
#: make lint        cppcheck, format, shellcheck, length of functions
#: make format      clang-format on all sources
#: make clean       remove build; distclean: the configuration too
#:
#: Variants, each in a folder of its own below build:
#:   SAN=address,undefined   SAN=thread     under a sanitizer
#:   COV=1                                  `make check` prints lib/core's coverage
#: Variables:
#:   T=text      `make check` runs only programs whose path has this in it
#:   B=folder    the build folder         CC=clang    another compiler
#:   WERROR=1    warnings are errors      CFLAGS=     default -O2 -g
#:   V=1         show the commands        prefix=     for install
