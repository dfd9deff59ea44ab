// Comes as JavaScript without types.
declare module "frappe-ui/vite";
