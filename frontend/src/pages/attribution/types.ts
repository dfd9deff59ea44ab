/** The types of conversions that there were in the period, to choose from; without a choice those that the settings count. */
import { computed } from "vue";
import { useAsked } from "@/data/asked";
import { may } from "@/data/boot";
import { useScope } from "@/data/scope";
import { __ } from "@/locale";
import type { Summary } from "../conversions/conversions";

export function useSummary() {
	const { params, model } = useScope();
	return useAsked<Summary>("trackflow.api.conversion.get_summary", () =>
		may("Conversion") ? { from_date: params.value.from_date, to_date: params.value.to_date, model: model.value || undefined } : null,
	);
}

export function useTypes() {
	const { data } = useSummary();
	return computed(() => [
		{ label: __("Types that count"), value: "" },
		...(data.value?.types ?? []).map(({ conversion_type }) => ({ label: __(conversion_type), value: conversion_type })),
	]);
}
