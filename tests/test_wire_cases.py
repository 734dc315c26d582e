"""Which test covers which promise: the 55 cases of the wire and the 29 faults of upstream answers, by number.

The cases are those of the transport's black-box list, the faults those of the catalogue's first part (F-01 to F-29).
Each names the tests that would fail if it broke; a test that is renamed or deleted is missed here at once.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

CREDENTIALS = "tests/service/test_credentials.py"
STRATEGY = "tests/service/test_index_strategy.py"
CERTIFICATES = "tests/service/test_client_certificates.py"
REDIRECTS = "tests/transport/test_redirects.py"
TLS = "tests/transport/test_tls.py"
DIAGNOSIS = "tests/transport/test_diagnosis.py"
REJECTION = "tests/transport/test_tls_rejection.py"
IDENTITY = "tests/transport/test_tls_identity.py"
RETRY = "tests/transport/test_retry.py"
POOL = "tests/transport/test_pool.py"
RESUME = "tests/transport/test_resume.py"
CACHE = "tests/transport/test_cache.py"
STORAGE = "tests/transport/test_storage.py"
COALESCE = "tests/transport/test_coalesce.py"
PROXY = "tests/transport/test_proxy.py"
SETTINGS = "tests/service/test_settings.py"
LED = "tests/blackbox/test_redirects.py"
TRANSFERS = "tests/blackbox/test_transfers.py"
COPIES = "tests/blackbox/test_copies.py"
HOSTILE = "tests/blackbox/test_hostile.py"
ROADS = "tests/blackbox/test_roads.py"

# Number or id → file::test. Every list holds a test through real sockets.
COVERED: dict[int | str, list[str]] = {
    1: [f"{CREDENTIALS}::test_1_an_index_that_shows_strangers_less_is_never_asked_as_a_stranger"],
    2: [f"{CREDENTIALS}::test_2_files_beside_the_index_carry_its_credential_at_the_first_try"],
    3: [f"{CREDENTIALS}::test_3_two_indexes_on_one_host_never_swap_passwords"],
    4: [f"{CREDENTIALS}::test_4_an_index_without_a_credential_gets_none_from_its_neighbour"],
    5: [f"{CREDENTIALS}::test_5_of_nested_indexes_each_has_its_own"],
    6: [f"{CREDENTIALS}::test_6_never_sends_nothing"],
    7: [f"{CREDENTIALS}::test_7_always_without_a_complete_credential_connects_nowhere"],
    8: [f"{CREDENTIALS}::test_8_netrc_completes_a_user_and_lends_nobody_anothers_password"],
    9: [f"{CREDENTIALS}::test_9_userinfo_is_sent_as_exactly_these_bytes"],
    10: [f"{CREDENTIALS}::test_10_a_wrong_password_is_shown_once_and_no_other_index_is_asked"],
    11: [f"{CREDENTIALS}::test_11_a_new_credential_goes_ahead_alone"],
    12: [f"{CREDENTIALS}::test_12_every_kind_of_credential_stays_on_its_origin"],
    13: [f"{CREDENTIALS}::test_13_another_port_is_another_origin_but_netrc_may_name_hosts",
         "tests/transport/test_origin.py::test_two_spellings_are_one_origin"],
    14: [f"{LED}::test_a_location_with_a_credential_leads_to_a_lock_without_it"],
    15: [f"{REDIRECTS}::test_userinfo_in_a_location_is_sent_to_that_hop_and_to_files_beside_it"],
    16: [f"{REDIRECTS}::test_userinfo_of_a_location_at_home_wins_for_that_hop_only"],
    17: [f"{REDIRECTS}::test_a_location_is_followed_byte_for_byte_from_its_hop",
         f"{REDIRECTS}::test_a_scheme_relative_location_goes_to_the_other_host"],
    18: [f"{LED}::test_a_redirect_that_is_not_followed_is_said_and_never_means_no_versions",
         f"{REDIRECTS}::test_ten_redirects_are_followed_and_eleven_are_an_error_with_the_chain",
         f"{REDIRECTS}::test_a_circle_is_noticed_when_it_closes"],
    19: [f"{TLS}::test_a_redirect_to_plain_http_is_refused_before_connecting"],
    20: [f"{TLS}::test_another_origin_never_sees_our_identity"],
    21: [f"{TLS}::test_verification_is_left_out_only_at_the_index_itself"],
    22: [f"{LED}::test_what_a_location_holds_is_in_no_answer_and_no_log"],
    23: [f"{LED}::test_files_of_a_redirected_page_are_beside_where_it_led",
         f"{LED}::test_a_location_with_a_credential_leads_to_a_lock_without_it"],
    24: [f"{LED}::test_a_presigned_target_is_shown_no_credential"],
    25: [f"{LED}::test_a_redirect_that_is_not_followed_is_said_and_never_means_no_versions",
         f"{ROADS}::test_a_redirect_of_a_requests_index_reaches_no_more_than_its_url"],
    26: [f"{DIAGNOSIS}::test_a_server_that_leaves_out_its_intermediate_is_told_so",
         f"{CERTIFICATES}::test_an_incomplete_chain_is_a_problem_that_blames_the_server"],
    27: [f"{DIAGNOSIS}::test_a_whole_chain_of_a_stranger_is_no_incomplete_one"],
    28: [f"{DIAGNOSIS}::test_each_fault_of_a_certificate_has_its_own_kind_and_words",
         f"{TLS}::test_a_handshake_that_fails_is_named_and_tried_once",
         f"{TLS}::test_a_port_that_speaks_plain_http_is_named_as_such"],
    29: [f"{REJECTION}::test_a_server_that_requires_a_certificate_is_said_to"],
    30: [f"{REJECTION}::test_a_server_that_rejects_our_certificate_is_said_to_and_what_was_sent"],
    31: [f"{REJECTION}::test_a_connection_that_ends_in_the_handshake_is_tried_again_and_explained"],
    32: [f"{IDENTITY}::test_an_encrypted_key_never_asks_for_its_passphrase",
         f"{IDENTITY}::test_a_closed_standard_input_makes_no_difference"],
    33: [f"{IDENTITY}::test_two_identities_on_one_port_see_only_their_own_pages_and_share_no_connection"],
    34: [f"{TLS}::test_each_index_trusts_its_own_ca_and_not_its_neighbours"],
    35: ["tests/blackbox/test_trust.py::test_the_environment_replaces_the_roots_and_an_indexs_own_bundle_beats_it",
         f"{TLS}::test_the_environment_replaces_the_systems_roots_even_where_it_leads_nowhere",
         f"{TLS}::test_an_empty_variable_is_no_variable_and_an_own_ca_stands_beside_or_alone",
         f"{TLS}::test_each_index_trusts_its_own_ca_and_not_its_neighbours"],
    36: [f"{TLS}::test_a_rotated_identity_is_used_and_a_broken_one_is_not",
         f"{IDENTITY}::test_a_rotation_in_two_steps_goes_on_with_the_old_identity_until_both_are_there"],
    37: [f"{TRANSFERS}::test_a_pause_holds_back_every_request_to_that_origin",
         f"{RETRY}::test_retry_after_is_a_floor_for_everybody_at_that_origin",
         f"{RETRY}::test_a_pause_beyond_our_patience_is_told_at_once_and_kept"],
    38: [f"{RETRY}::test_a_passing_trouble_is_asked_again",
         f"{RETRY}::test_what_will_be_the_same_tomorrow_is_asked_once",
         f"{RETRY}::test_an_answer_is_an_answer"],
    39: [f"{RETRY}::test_mixed_failures_share_one_counter"],
    40: [f"{POOL}::test_a_drip_is_not_progress"],
    41: [f"{TRANSFERS}::test_forty_packages_of_an_origin_that_never_shakes_hands_cost_one_budget"],
    42: [f"{TRANSFERS}::test_a_client_that_leaves_takes_its_connections_to_the_index_along",
         f"{TRANSFERS}::test_who_shares_a_page_with_a_client_that_leaves_gets_it"],
    43: [f"{RESUME}::test_a_download_goes_on_where_it_stopped",
         f"{RESUME}::test_without_a_strong_validator_a_download_begins_anew",
         f"{RESUME}::test_a_file_that_changed_meanwhile_comes_whole",
         f"{RESUME}::test_a_wrong_part_restarts_once_and_is_an_error_then",
         f"{TRANSFERS}::test_parts_that_do_not_make_the_listed_file_are_a_hash_mismatch"],
    44: [f"{COPIES}::test_the_page_of_one_credential_answers_no_other",
         f"{CACHE}::test_one_credentials_private_page_is_never_anothers",
         f"{IDENTITY}::test_a_rotated_identity_opens_nothing_that_another_stored"],
    45: [f"{COPIES}::test_a_page_is_compared_by_its_tag_and_a_304_needs_none"],
    46: [f"{COPIES}::test_a_page_is_compared_by_its_tag_and_a_304_needs_none"],
    47: [f"{COPIES}::test_a_stale_copy_stands_in_for_a_sick_index_and_the_lock_says_how_old_it_is",
         f"{COPIES}::test_a_stale_copy_is_not_used_beyond_its_time_or_against_the_origins_word",
         f"{COPIES}::test_a_refusal_is_believed_although_a_copy_is_there"],
    48: [f"{COPIES}::test_twenty_jobs_on_a_copy_within_its_grace_cause_one_request_in_the_background",
         f"{COPIES}::test_twenty_cold_jobs_are_one_request_for_each_url"],
    49: [f"{COPIES}::test_freshness_is_what_the_index_says",
         f"{CACHE}::test_variants_are_kept_side_by_side",
         f"{CACHE}::test_what_may_not_be_stored_is_not",
         "tests/transport/test_freshness.py::test_a_permanent_redirect_rests_only_while_it_is_said_to_be_fresh"],
    50: [f"{COPIES}::test_the_operators_word_replaces_the_indexs_and_an_explicit_refresh_goes_out",
         f"{STORAGE}::test_a_writer_that_is_killed_leaves_nothing_wrong_and_no_debris",
         f"{STORAGE}::test_an_entry_that_is_cut_at_any_byte_is_a_miss_and_goes_away",
         f"{CACHE}::test_a_directory_that_cannot_be_used_makes_the_cache_slower_and_not_wrong"],
    51: [f"{STRATEGY}::test_only_a_clean_not_found_lets_the_next_index_answer",
         f"{STRATEGY}::test_the_rule_holds_for_what_is_only_required_by_others"],
    52: [f"{ROADS}::test_a_url_of_a_request_reaches_nothing_that_only_this_machine_may_ask",
         f"{ROADS}::test_a_redirect_of_a_requests_index_reaches_no_more_than_its_url"],
    53: [f"{ROADS}::test_a_proxy_of_the_environment_is_used_and_given_its_own_credential",
         f"{ROADS}::test_what_no_proxy_names_is_not_asked_of_the_proxy",
         f"{ROADS}::test_a_proxy_that_is_dead_or_refuses_is_told_apart_without_its_password",
         f"{PROXY}::test_https_goes_through_a_tunnel_that_sees_no_credential_of_the_index",
         "tests/service/test_words.py::test_no_proxy"],
    54: [f"{COPIES}::test_metadata_that_is_not_what_was_promised_names_the_file_and_both_hashes"],
    55: [f"{HOSTILE}::test_too_much_is_a_typed_error_asked_for_once_in_little_memory",
         f"{POOL}::test_an_endless_chunked_page_ends_at_the_cap"],
    "F-01": [f"{TRANSFERS}::test_a_passing_trouble_costs_two_more_requests_and_no_lock"],
    "F-02": [f"{TRANSFERS}::test_a_lasting_trouble_is_told_with_its_index_and_its_tries",
             f"{RETRY}::test_a_dead_origin_is_left_alone_after_one_budget_and_asked_now_and_then"],
    "F-03": [f"{TRANSFERS}::test_a_pause_holds_back_every_request_to_that_origin"],
    "F-04": [f"{TRANSFERS}::test_a_lasting_trouble_is_told_with_its_index_and_its_tries",
             f"{RETRY}::test_a_pause_beyond_our_patience_is_told_at_once_and_kept"],
    "F-05": [f"{STRATEGY}::test_only_a_clean_not_found_lets_the_next_index_answer",
             f"{REDIRECTS}::test_a_refusal_names_the_hop_and_the_realm_and_is_asked_once"],
    "F-06": [f"{TRANSFERS}::test_a_passing_trouble_costs_two_more_requests_and_no_lock"],
    "F-07": [f"{TRANSFERS}::test_a_lasting_trouble_is_told_with_its_index_and_its_tries"],
    "F-08": [f"{TRANSFERS}::test_nothing_of_a_truncated_page_is_left_for_the_next_request"],
    "F-09": [f"{TRANSFERS}::test_a_file_that_stops_early_is_resumed_and_its_hash_verified",
             f"{RESUME}::test_a_download_goes_on_where_it_stopped"],
    "F-10": [f"{TRANSFERS}::test_a_file_that_always_stops_is_the_indexs_fault_and_not_the_requirements"],
    "F-11": [f"{TRANSFERS}::test_a_file_cut_without_a_length_is_caught_by_its_hash_and_not_stored"],
    "F-12": [
        f"{TRANSFERS}::test_a_body_that_is_framed_in_two_ways_is_an_error_and_its_connection_is_not_used_again"
    ],
    "F-13": [f"{COPIES}::test_metadata_that_is_not_what_was_promised_names_the_file_and_both_hashes",
             f"{TRANSFERS}::test_parts_that_do_not_make_the_listed_file_are_a_hash_mismatch"],
    "F-14": [f"{TLS}::test_a_handshake_that_fails_is_named_and_tried_once",
             f"{DIAGNOSIS}::test_each_fault_of_a_certificate_has_its_own_kind_and_words",
             f"{TRANSFERS}::test_forty_packages_of_an_origin_that_never_shakes_hands_cost_one_budget"],
    "F-15": [f"{TRANSFERS}::test_a_name_that_does_not_resolve_is_said",
             f"{RETRY}::test_a_name_that_does_not_exist_is_an_error_of_the_road"],
    "F-16": [f"{LED}::test_a_redirect_that_is_not_followed_is_said_and_never_means_no_versions",
             f"{TLS}::test_a_redirect_to_plain_http_is_refused_before_connecting"],
    "F-17": [f"{HOSTILE}::test_what_is_no_project_page_is_an_error_and_not_an_empty_project"],
    "F-18": [f"{HOSTILE}::test_too_much_is_a_typed_error_asked_for_once_in_little_memory"],
    "F-19": [f"{POOL}::test_an_endless_chunked_page_ends_at_the_cap"],
    "F-20": [f"{HOSTILE}::test_too_much_is_a_typed_error_asked_for_once_in_little_memory",
             f"{POOL}::test_a_bomb_is_defused_while_it_goes_off"],
    "F-21": [f"{HOSTILE}::test_a_version_with_metadata_beyond_all_measure_is_passed_over",
             "tests/index/test_wheel.py::test_entries_that_share_their_bytes_are_refused"],
    "F-22": [f"{POOL}::test_a_drip_is_not_progress"],
    "F-23": [f"{TRANSFERS}::test_a_silent_index_is_a_timeout_of_that_index"],
    "F-24": [f"{HOSTILE}::test_pigeonholes_are_proved_impossible_or_exhaust_their_budget"],
    "F-25": [f"{COPIES}::test_another_file_or_version_takes_the_place_of_one_that_is_not_there"],
    "F-26": [f"{COPIES}::test_a_stale_copy_stands_in_for_a_sick_index_and_the_lock_says_how_old_it_is"],
    "F-27": [f"{COPIES}::test_a_name_that_is_not_cached_is_unavailable_and_never_unknown"],
    "F-28": [f"{COPIES}::test_a_304_to_no_question_and_a_part_of_a_page_are_no_answers",
             f"{CACHE}::test_a_304_to_no_question_is_an_error_and_one_about_another_tag_asks_for_the_whole"],
    "F-29": [f"{COPIES}::test_one_solve_sees_one_page_however_often_it_changes"],
}  # fmt: skip


@cache
def named_in(path: str) -> frozenset[str]:
    """Return the names of the test functions of a file, by reading it."""
    tree = ast.parse((ROOT / path).read_text("utf-8"), path)
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def test_every_case_and_every_fault_has_its_row() -> None:
    assert list(COVERED) == [*range(1, 56), *(f"F-{number:02}" for number in range(1, 30))]
    assert all(COVERED.values())


@pytest.mark.parametrize("case", COVERED)
def test_the_tests_that_cover_a_case_exist(case: int | str) -> None:
    named = [one.partition("::")[::2] for one in COVERED[case]]
    assert [name for path, name in named if name not in named_in(path)] == []
