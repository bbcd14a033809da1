# Vedfolnir: the extension (PGXS). The listener and the unit tests are built by CMake, see CMakeLists.txt.
EXTENSION = vedfolnir
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" vedfolnir.control)
MODULE_big = vedfolnir
OBJS = $(patsubst %.cpp,%.o,$(sort $(wildcard src/core/*.cpp src/bridge/*.cpp src/ext/*.cpp)))
SCHEMA_SCRIPT = vedfolnir--$(EXTVERSION).sql
DATA_built = $(SCHEMA_SCRIPT)
EXTRA_CLEAN = $(SCHEMA_SCRIPT) build results regression.diffs regression.out

REGRESS = $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
REGRESS_OPTS = --inputdir=. --outputdir=build/regress
ISOLATION = $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=build/isolation

PG_CONFIG ?= pg_config
PG_CPPFLAGS = -Isrc
PG_CXXFLAGS = -std=c++17 -Wall -Wextra -Wshadow=local -Wno-register -Wno-unused-parameter -Wno-missing-field-initializers \
	-fstack-protector-strong $(EXTRA_CXX)
SHLIB_LINK = -lstdc++ -Wl,--version-script=src/ext/vedfolnir.map -Wl,-z,relro -Wl,-z,now $(EXTRA_LINK)

# JIT inlining gains a C++ extension nothing, and Debian's bitcode rule ignores PG_CXXFLAGS.
override with_llvm := no
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
# A server built by another compiler may record a flag that g++ knows for C++ only since 13.
override CXXFLAGS := $(filter-out -fexcess-precision=standard,$(CXXFLAGS))

$(SCHEMA_SCRIPT): $(sort $(wildcard src/sql/*.sql))
	cat $^ > $@

# Debian's PGXS does not track headers.
$(OBJS): $(wildcard src/*/*.h src/*/*.hpp)

build-dirs:
	mkdir -p build/regress build/isolation
installcheck: | build-dirs

listener:
	cmake -S . -B build/cmake -DCMAKE_BUILD_TYPE=RelWithDebInfo
	cmake --build build/cmake --target vedfolnir-listener --target manual

install-listener: listener
	install -D -m 755 build/cmake/vedfolnir-listener '$(DESTDIR)$(bindir)/vedfolnir-listener'
	install -D -m 644 build/cmake/vedfolnir-listener.1 '$(DESTDIR)$(mandir)/man1/vedfolnir-listener.1'
	install -D -m 644 -t '$(DESTDIR)$(docdir)/vedfolnir' etc/vedfolnir-listener.*

lint:
	bash tools/lint.sh

.PHONY: build-dirs listener install-listener lint
