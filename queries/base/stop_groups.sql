-- The words for why an answer ended, and the group each belongs to. Grouped so that a query engine sees that a word has
-- one group, and skips the look-up where the group is not asked for.
-- grain: stop_word
select stop_reason as stop_word, max(stop_group) as stop_word_group from lists.stop_reasons group by stop_reason
