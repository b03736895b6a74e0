# make            ./lhnode and tools/lhsim, optimised
# make test       every test, as ./run_tests.sh runs them
# make unit       the unit tests only; UNIT="--gtest_filter=..." selects
# make asan|tsan  the same programs under build/asan, build/tsan, with the sanitizers
# V=1 prints the commands. ONLY="base table" builds the unit tests of those layers alone.
# A new file needs no entry here: what exists is built.
MODE  ?= plain
BUILD ?= build
OUT   := $(BUILD)/$(MODE)
CXX   ?= g++
Q     := $(if $(V),,@)

SAN_plain := -O2
SAN_asan  := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
SAN_tsan  := -O1 -fsanitize=thread
FLAGS := -std=c++20 -g -Iinclude -Isrc -I. -Wall -Wextra -Werror -Wshadow -Wconversion \
         -Woverloaded-virtual -fno-omit-frame-pointer -pthread -MMD -MP $(SAN_$(MODE)) $(CXXFLAGS)
LINK  := $(CXX) -pthread $(SAN_$(MODE)) $(LDFLAGS)

LAYERS    := $(if $(ONLY),$(ONLY),.)
SRC       := $(sort $(filter-out src/main.cc,$(patsubst src/./%,src/%,$(shell find $(LAYERS:%=src/%) -name '*.cc' 2>/dev/null))))
TESTS     := $(sort $(patsubst tests/./%,tests/%,$(shell find $(LAYERS:%=tests/%) -name '*.cc' 2>/dev/null)))
OBJ       := $(SRC:%.cc=$(OUT)/%.o)
TEST_OBJ  := $(TESTS:%.cc=$(OUT)/%.o)
TOOL_BIN  := $(patsubst tools/%.cc,$(OUT)/tools/%,$(wildcard tools/*.cc))
UNIT_BIN  := $(OUT)/unit_tests$(subst $(eval) ,,$(ONLY:%=_%))

all: $(OUT)/lhnode $(TOOL_BIN) $(if $(filter plain,$(MODE)),publish)

publish: $(OUT)/lhnode $(TOOL_BIN)
	$(Q)ln -f $(OUT)/lhnode lhnode
	$(Q)for t in $(notdir $(TOOL_BIN)); do ln -f $(OUT)/tools/$$t tools/$$t; done

$(OUT)/lhnode: $(OUT)/src/main.o $(OBJ)
	$(if $(Q),@echo "  LINK $@")
	$(Q)$(LINK) -o $@ $^

$(OUT)/tools/%: $(OUT)/tools/%.o $(OBJ)
	$(if $(Q),@echo "  LINK $@")
	$(Q)$(LINK) -o $@ $^

$(UNIT_BIN): $(TEST_OBJ) $(OBJ)
	$(if $(Q),@echo "  LINK $@")
	$(Q)$(LINK) -o $@ $^ -lgtest -lgtest_main

$(OUT)/%.o: %.cc
	$(if $(Q),@echo "  CXX  $<")
	@mkdir -p $(@D)
	$(Q)$(CXX) $(FLAGS) -c -o $@ $<

# The product neither throws nor catches; gtest needs exceptions.
$(OUT)/src/%.o $(OUT)/tools/%.o: FLAGS += -fno-exceptions

programs: $(OUT)/lhnode $(TOOL_BIN) $(UNIT_BIN)

unit: $(UNIT_BIN)
	$(UNIT_BIN) --gtest_brief=1 $(UNIT)

test:
	./run_tests.sh

asan tsan:
	$(Q)$(MAKE) --no-print-directory MODE=$@ programs

clean:
	$(Q)rm -rf $(BUILD) lhnode $(patsubst tools/%.cc,tools/%,$(wildcard tools/*.cc))

.PHONY: all publish programs unit test asan tsan clean
.SECONDARY:
-include $(OBJ:.o=.d) $(TEST_OBJ:.o=.d) $(OUT)/src/main.d $(TOOL_BIN:=.d)
