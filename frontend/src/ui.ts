/**
 * What the app uses of frappe-ui; nothing else imports it. Its own index names an editor, a calendar and more, all of which a build
 * would have to read to leave them out again. Left out on purpose: ErrorMessage, ConfirmDialog, ListItem and NumberChart, which show
 * texts as markup (SEC-2); for toasts there is data/notify.ts. Its charts too: they take 190 kB over the wire (compressed; a page of
 * ours may take 300 in all) and write names into markup; components/charts/ does what we need.
 */
export { Badge } from "#frappe-ui/components/Badge";
export { Breadcrumbs } from "#frappe-ui/components/Breadcrumbs";
export { Button } from "#frappe-ui/components/Button";
export { Checkbox } from "#frappe-ui/components/Checkbox";
export { Combobox } from "#frappe-ui/components/Combobox";
export { default as Dialog } from "./components/AppDialog.vue";
export { Dialog as FrappeDialog } from "#frappe-ui/components/Dialog";
export { Dropdown } from "#frappe-ui/components/Dropdown";
export { default as LoadingIndicator } from "#frappe-ui/components/LoadingIndicator.vue";
export { default as FrappeUIProvider } from "#frappe-ui/components/Provider/FrappeUIProvider.vue";
export { Select } from "#frappe-ui/components/Select";
export { TabButtons } from "#frappe-ui/components/TabButtons";
export { Textarea } from "#frappe-ui/components/Textarea";
export { TextInput } from "#frappe-ui/components/TextInput";
export { toast } from "#frappe-ui/components/Toast";
export { Tooltip } from "#frappe-ui/components/Tooltip";
